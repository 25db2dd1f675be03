// Quantities: `500m`, `1.5Gi`, `2e3` (apimachinery api/resource). Exact: a whole number of nano units; finer parts round away from
// zero, as upstream. Values past 2^63-1 are cut to it, so hostile exponents cost nothing.

export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent'
/** `value` counts 10^-9; `format` is how it was written and is printed again. */
export interface Quantity {
  readonly value: bigint
  readonly format: QuantityFormat
}

export const quantityPattern = "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"

const nanoDigits = 9
const nano = 10n ** 9n
const valueMax = (2n ** 63n - 1n) * nano
/** More digits than any value has; text past this is no quantity. */
const textLengthMax = 128
/** Past this every number but zero is cut or rounded anyway. */
const exponentMax = 64

const decimalExponents: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
}
const decimalSuffixes = new Map(
  Object.entries(decimalExponents).map(([suffix, exponent]) => [exponent, suffix]),
)
const binarySuffixes: readonly string[] = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']

/** undefined: the text is no quantity. */
export const parseQuantity = (text: string): Quantity | undefined => {
  if (text.length > textLengthMax) return undefined
  const match = /^([+-]?)([0-9]*)(?:\.([0-9]*))?([a-zA-Z]*(?:[+-]?[0-9]+)?)$/.exec(text)
  if (match === null) return undefined
  const [, sign = '', whole = '', fraction = '', suffix = ''] = match
  if (whole === '' && fraction === '') return undefined
  const scale = parseSuffix(suffix)
  if (scale === undefined) return undefined
  const digits = BigInt(`${whole}${fraction}`)
  const exponent = scale.exponent - fraction.length + nanoDigits
  const size = scaled(digits * scale.factor, exponent)
  return { value: sign === '-' ? -size : size, format: scale.format }
}

const parseSuffix = (
  suffix: string,
): { exponent: number; factor: bigint; format: QuantityFormat } | undefined => {
  const binary = suffix === '' ? -1 : binarySuffixes.indexOf(suffix)
  if (binary > 0) return { exponent: 0, factor: 1024n ** BigInt(binary), format: 'BinarySI' }
  const decimal = Object.hasOwn(decimalExponents, suffix) ? decimalExponents[suffix] : undefined
  if (decimal !== undefined) return { exponent: decimal, factor: 1n, format: 'DecimalSI' }
  const exponent = /^[eE]([+-]?[0-9]+)$/.exec(suffix)?.[1]
  return exponent === undefined
    ? undefined
    : { exponent: Number(exponent), factor: 1n, format: 'DecimalExponent' }
}

/** digits * 10^exponent, rounded up to a whole number and cut to the largest value. */
const scaled = (digits: bigint, exponent: number): bigint => {
  if (digits === 0n) return 0n
  if (exponent > exponentMax) return valueMax
  if (exponent >= 0) return smaller(digits * 10n ** BigInt(exponent), valueMax)
  // The text is limited, so that many digits below the smallest unit leave nothing but the rounding.
  if (-exponent > textLengthMax + exponentMax) return 1n
  const divisor = 10n ** BigInt(-exponent)
  return smaller((digits + divisor - 1n) / divisor, valueMax)
}

const smaller = (left: bigint, right: bigint): bigint => (left < right ? left : right)

/** The canonical text: `1000m` is `1`, `1.5Gi` is `1536Mi`, `0.5` is `500m`. */
export const formatQuantity = ({ value, format }: Quantity): string => {
  const size = value < 0n ? -value : value
  const sign = value < 0n ? '-' : ''
  const isWhole = size % nano === 0n
  if (format === 'BinarySI' && isWhole && size >= 1024n * nano) return sign + formatBinary(size)
  return sign + formatDecimal(size, format === 'DecimalExponent')
}

const formatBinary = (size: bigint): string => {
  let whole = size / nano
  let power = 0
  while (power < binarySuffixes.length - 1 && whole % 1024n === 0n) {
    whole /= 1024n
    power++
  }
  return `${whole}${binarySuffixes[power] ?? ''}`
}

const formatDecimal = (size: bigint, asExponent: boolean): string => {
  if (size === 0n) return '0'
  let mantissa = size
  let exponent = -nanoDigits
  while (exponent < 18 && mantissa % 1000n === 0n) {
    mantissa /= 1000n
    exponent += 3
  }
  if (!asExponent) return `${mantissa}${decimalSuffixes.get(exponent) ?? ''}`
  return exponent === 0 ? String(mantissa) : `${mantissa}e${exponent}`
}

/** Negative, 0 or positive, as sorting wants it. */
export const compareQuantities = (left: Quantity, right: Quantity): number =>
  left.value < right.value ? -1 : left.value > right.value ? 1 : 0

/** The sum, written like the first that is not zero. */
export const addQuantities = (left: Quantity, right: Quantity): Quantity => ({
  value: left.value + right.value,
  format: left.value === 0n ? right.format : left.format,
})

export const subtractQuantities = (left: Quantity, right: Quantity): Quantity => ({
  value: left.value - right.value,
  format: left.value === 0n ? right.format : left.format,
})

/** In whole units, rounded up: bytes of memory, pods. */
export const quantityUnits = ({ value }: Quantity): number =>
  Number(value > 0n ? (value + nano - 1n) / nano : value / nano)

/** In thousandths, rounded up: what cpu is counted in. */
export const quantityMilli = ({ value }: Quantity): number => {
  const milli = nano / 1000n
  return Number(value > 0n ? (value + milli - 1n) / milli : value / milli)
}
