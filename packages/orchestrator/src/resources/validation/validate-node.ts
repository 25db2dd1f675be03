// The rules for a node's spec: its taints.
import { labelValueProblems, qualifiedNameProblems } from '../names.ts'
import type { NodeSpec, Taint } from '../node.ts'
import type { FieldError } from '../object.ts'
import { duplicate, invalid, oneOf } from './field-error.ts'

const taintEffects: readonly string[] = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

export const validateNodeSpec = (spec: NodeSpec): FieldError[] => {
  const taints = spec.taints ?? []
  const seen = new Set<string>()
  return taints.flatMap((taint, index) => {
    const path = `metadata.taints[${index}]`
    const identity = `${taint.key}:${taint.effect}`
    const errors = validateTaint(taint, path)
    if (seen.has(identity)) errors.push(duplicate(path, taint))
    seen.add(identity)
    return errors
  })
}

const validateTaint = (taint: Taint, path: string): FieldError[] => [
  ...qualifiedNameProblems(taint.key).map((problem) => invalid(`${path}.key`, taint.key, problem)),
  ...labelValueProblems(taint.value ?? '').map((problem) =>
    invalid(`${path}.value`, taint.value, problem),
  ),
  ...oneOf(`${path}.effect`, taint.effect, taintEffects),
]
