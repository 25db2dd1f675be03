// The rules for a pod's spec (upstream's ValidatePodSpec), for what Balsa serves of it.
import type { FieldError } from '../object.ts'
import { required } from '../validation/field-error.ts'
import type { PodSpec } from './pod-spec.ts'

/** `path` is where the spec lies: `spec`, or `spec.template.spec`. */
export const validatePodSpec = (spec: PodSpec, path: string): FieldError[] =>
  spec.containers.length === 0 ? [required(`${path}.containers`)] : []
