// string.format of CEL: %s, %d, %f, %e, %b, %x, %X and %o, with a precision where it makes sense.

/** Throws Error for a clause without a value, or a value that a clause cannot show. */
export const formatText = (text: string, values: readonly unknown[]): string => {
  let next = 0
  return text.replaceAll(/%%|%(?:\.(\d{1,3}))?(.?)/gs, (clause, digits: string, kind: string) => {
    if (clause === '%%') return '%'
    if (next >= values.length) throw new Error(`index ${next} out of range`)
    const value = values[next++]
    const precision = digits === undefined ? 6 : Number(digits)
    switch (kind) {
      case 's':
        return shown(value)
      case 'd':
        return typeof value === 'bigint' || typeof value === 'number' ? String(value) : wrong(kind)
      case 'f':
        return numeric(value, kind).toFixed(Math.min(precision, 100))
      case 'e':
        return exponential(numeric(value, kind), Math.min(precision, 100))
      case 'b':
        if (typeof value === 'boolean') return value ? '1' : '0'
        return inBase(value, 2, kind)
      case 'o':
        return inBase(value, 8, kind)
      case 'x':
      case 'X': {
        const hex =
          typeof value === 'string' ? Buffer.from(value).toString('hex') : inBase(value, 16, kind)
        return kind === 'x' ? hex : hex.toUpperCase()
      }
      default:
        throw new Error(
          `could not parse formatting clause: unrecognized formatting clause "${kind}"`,
        )
    }
  })
}

const wrong = (kind: string): never => {
  throw new Error(`error during formatting: %${kind} can not show a value of this type`)
}

const numeric = (value: unknown, kind: string): number =>
  typeof value === 'number' || typeof value === 'bigint' ? Number(value) : wrong(kind)

const inBase = (value: unknown, base: number, kind: string): string =>
  typeof value === 'bigint' ? value.toString(base) : wrong(kind)

/** With two digits of the exponent at least. */
const exponential = (value: number, precision: number): string =>
  value.toExponential(precision).replace(/e([+-])(\d)$/, 'e$10$2')

const shown = (value: unknown): string => {
  if (value === null) return 'null'
  if (value instanceof Date) return value.toISOString().replace('.000Z', 'Z')
  if (Array.isArray(value)) return `[${value.map(shown).join(', ')}]`
  const entries =
    value instanceof Map
      ? [...(value as Map<unknown, unknown>)]
      : typeof value === 'object'
        ? Object.entries(value)
        : undefined
  if (entries === undefined) return `${value as bigint}`
  const members = entries.map(([key, member]) => `${shown(key)}: ${shown(member)}`)
  return `{${members.toSorted().join(', ')}}`
}
