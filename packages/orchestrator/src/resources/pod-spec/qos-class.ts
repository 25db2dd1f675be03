// The quality of service a pod gets: whose memory is taken first when a node runs short.
import { compareQuantities, parseQuantity } from '../quantity.ts'
import type { Container, PodSpec } from './pod-spec.ts'

const countedResources = ['cpu', 'memory'] as const

/** Guaranteed: every container limits cpu and memory to what it requests. BestEffort: none says anything. */
export const qosClass = (spec: PodSpec): 'Guaranteed' | 'Burstable' | 'BestEffort' => {
  const containers = [...(spec.initContainers ?? []), ...spec.containers]
  if (containers.every((container) => !saysSomething(container))) return 'BestEffort'
  return containers.every(isGuaranteed) ? 'Guaranteed' : 'Burstable'
}

const saysSomething = ({ resources }: Container): boolean =>
  countedResources.some(
    (name) => isPositive(resources.requests?.[name]) || isPositive(resources.limits?.[name]),
  )

const isGuaranteed = ({ resources }: Container): boolean =>
  countedResources.every((name) => {
    const limit = parseQuantity(resources.limits?.[name] ?? '')
    const request = parseQuantity(resources.requests?.[name] ?? '')
    return limit !== undefined && request !== undefined && compareQuantities(limit, request) === 0
  })

const isPositive = (text: string | undefined): boolean => {
  const quantity = text === undefined ? undefined : parseQuantity(text)
  return quantity !== undefined && quantity.value > 0n
}
