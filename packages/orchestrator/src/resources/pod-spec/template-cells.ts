// The wide columns of kinds that make pods from a template.
import { orNone } from '../columns.ts'
import { formatSelector } from '../label-selector.ts'
import type { LabelSelector } from '../object.ts'
import type { PodSpec } from './pod-spec.ts'

export const containerNames = (spec: PodSpec): string =>
  spec.containers.map(({ name }) => name).join(',')

export const containerImages = (spec: PodSpec): string =>
  spec.containers.map(({ image }) => image ?? '').join(',')

/** A dry run may print an object that was not validated yet, so the selector may be missing. */
export const selectorText = (selector: LabelSelector | undefined): string =>
  orNone(formatSelector(selector ?? {}))
