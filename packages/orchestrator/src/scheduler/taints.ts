// Taints and tolerations: which taint keeps which pod away (core/v1 helper rules).
import type { Taint } from '../resources/node.ts'
import type { Toleration } from '../resources/pod-spec/pod-spec.ts'

export const tolerates = (toleration: Toleration, taint: Taint): boolean => {
  const { key = '', operator = 'Equal', value = '', effect = '' } = toleration
  if (effect !== '' && effect !== taint.effect) return false
  if (key !== '' && key !== taint.key) return false
  if (operator === 'Exists') return true
  return key !== '' && operator === 'Equal' && value === (taint.value ?? '')
}

export const isTolerated = (tolerations: readonly Toleration[], taint: Taint): boolean =>
  tolerations.some((toleration) => tolerates(toleration, taint))
