// How a volume may be used, and how kubectl writes it.
import type { FieldError } from '../object.ts'
import { forbidden, notSupported } from '../validation/field-error.ts'

const shortModes: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
}

/** e.g. `RWO,RWX`; each mode once, in a fixed order. */
export const accessModesText = (modes: readonly string[] | undefined): string =>
  Object.entries(shortModes)
    .filter(([mode]) => modes?.includes(mode) === true)
    .map(([, short]) => short)
    .join(',')

export const validateAccessModes = (field: string, modes: readonly string[]): FieldError[] => [
  ...modes
    .filter((mode) => !Object.hasOwn(shortModes, mode))
    .map((mode) => notSupported(field, mode, Object.keys(shortModes))),
  ...(modes.includes('ReadWriteOncePod') && modes.length > 1
    ? [forbidden(field, 'may not use ReadWriteOncePod with other access modes')]
    : []),
]
