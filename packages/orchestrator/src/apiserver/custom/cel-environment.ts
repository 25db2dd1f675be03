// CEL with the functions that Kubernetes adds to the language.
import { isDeepStrictEqual } from 'node:util'
import { Environment } from '@marcbachmann/cel-js'
import { formatText } from './cel-format.ts'
import { addNetworks } from './cel-networks.ts'
import { matchesFunction, searchFor } from './cel-program.ts'
import {
  addQuantities,
  compareQuantities,
  parseQuantity,
  quantityUnits,
  subtractQuantities,
  type Quantity,
} from '../../resources/quantity.ts'

class CelQuantity {
  readonly value: Quantity

  constructor(value: Quantity) {
    this.value = value
  }
}

const quantityOf = (text: string): CelQuantity => {
  const value = parseQuantity(text)
  if (value === undefined) throw new Error(`quantity ${JSON.stringify(text)} is invalid`)
  return new CelQuantity(value)
}

type Comparable = bigint | number | string

const orderOf = (list: readonly Comparable[]): boolean =>
  list.every((item, index) => index === 0 || (list[index - 1] ?? item) <= item)

const best = (
  list: readonly Comparable[],
  isBetter: (a: Comparable, b: Comparable) => boolean,
): Comparable => {
  const [first, ...rest] = list
  if (first === undefined) throw new Error('min and max of an empty list')
  return rest.reduce((found, item) => (isBetter(item, found) ? item : found), first)
}

const sum = (list: readonly (bigint | number)[]): bigint | number => {
  if (typeof list[0] === 'number')
    return list.reduce((total: number, item) => total + Number(item), 0)
  return list.reduce((total: bigint, item) => total + BigInt(item), 0n)
}

const sizes = {
  maxAstNodes: 10_000,
  maxDepth: 100,
  maxListElements: 1000,
  maxMapEntries: 1000,
  maxCallArguments: 32,
}

/** With `variables` of any type. */
export const celEnvironment = (variables: readonly string[]): Environment => {
  const environment = new Environment({
    unlistedVariablesAreDyn: false,
    homogeneousAggregateLiterals: false,
    enableOptionalTypes: true,
    limits: sizes,
  })
  addTexts(environment)
  addLists(environment)
  addQuantityFunctions(environment)
  addSets(environment)
  addNetworks(environment)
  for (const name of variables) environment.registerVariable(name, 'dyn')
  return environment
}

const addTexts = (environment: Environment): void => {
  environment.registerFunction(
    'string.replace(string, string): string',
    (text: string, from: string, to: string) => text.replaceAll(from, () => to),
  )
  const matches = (text: string, pattern: string): boolean =>
    searchFor(pattern, (made, budget) => made.test(text, budget))
  environment.registerFunction(`string.${matchesFunction}(string): bool`, matches)
  environment.registerFunction('matches(string, string): bool', matches)
  environment.registerFunction(
    'string.find(string): string',
    (text: string, pattern: string) =>
      searchFor(pattern, (made, budget) => made.find(text, budget)) ?? '',
  )
  const findAll = (text: string, pattern: string, most = -1n): string[] =>
    searchFor(pattern, (made, budget) =>
      made.findAll(text, most < 0n ? Number.POSITIVE_INFINITY : Number(most), budget),
    )
  environment.registerFunction('string.findAll(string): list', findAll)
  environment.registerFunction('string.findAll(string, int): list', findAll)
  environment.registerFunction('string.charAt(int): string', (text: string, index: bigint) => {
    const characters = Array.from(text)
    if (index < 0n || index > characters.length) throw new Error(`index out of range: ${index}`)
    return characters[Number(index)] ?? ''
  })
  environment.registerFunction('string.reverse(): string', (text: string) =>
    Array.from(text).toReversed().join(''),
  )
  environment.registerFunction('string.format(list): string', formatText)
}

const addLists = (environment: Environment): void => {
  environment.registerFunction('list.sum(): dyn', sum)
  environment.registerFunction('list.isSorted(): bool', orderOf)
  environment.registerFunction('list.min(): dyn', (list: readonly Comparable[]) =>
    best(list, (a, b) => a < b),
  )
  environment.registerFunction('list.max(): dyn', (list: readonly Comparable[]) =>
    best(list, (a, b) => a > b),
  )
  environment.registerFunction(
    'list.indexOf(dyn): int',
    (list: readonly unknown[], item: unknown) => BigInt(list.indexOf(item)),
  )
  environment.registerFunction(
    'list.lastIndexOf(dyn): int',
    (list: readonly unknown[], item: unknown) => BigInt(list.lastIndexOf(item)),
  )
}

/** The functions on lists that are called `sets.NAME`. */
class CelSets {
  readonly name = 'sets'
}

const addSets = (environment: Environment): void => {
  environment.registerType('CelSets', { ctor: CelSets, fields: {} })
  environment.registerConstant('sets', 'CelSets', new CelSets())
  const has = (list: readonly unknown[], item: unknown): boolean =>
    list.some((one) => one === item || isDeepStrictEqual(one, item))
  const contains = (list: readonly unknown[], of: readonly unknown[]): boolean =>
    of.every((item) => has(list, item))
  const register = (
    name: string,
    test: (a: readonly unknown[], b: readonly unknown[]) => boolean,
  ): void => {
    environment.registerFunction(
      `CelSets.${name}(list, list): bool`,
      (_sets: CelSets, a: readonly unknown[], b: readonly unknown[]) => test(a, b),
    )
  }
  register('contains', contains)
  register('equivalent', (a, b) => contains(a, b) && contains(b, a))
  register('intersects', (a, b) => a.some((item) => has(b, item)))
}

const addQuantityFunctions = (environment: Environment): void => {
  environment.registerType('Quantity', { ctor: CelQuantity, fields: {} })
  environment.registerFunction('quantity(string): Quantity', quantityOf)
  environment.registerFunction(
    'isQuantity(string): bool',
    (text: string) => parseQuantity(text) !== undefined,
  )
  const compare = (name: string, is: (order: number) => boolean): void => {
    environment.registerFunction(
      `Quantity.${name}(Quantity): bool`,
      (a: CelQuantity, b: CelQuantity) => is(compareQuantities(a.value, b.value)),
    )
  }
  compare('isGreaterThan', (order) => order > 0)
  compare('isLessThan', (order) => order < 0)
  environment.registerFunction(
    'Quantity.compareTo(Quantity): int',
    (a: CelQuantity, b: CelQuantity) => BigInt(Math.sign(compareQuantities(a.value, b.value))),
  )
  environment.registerFunction(
    'Quantity.add(Quantity): Quantity',
    (a: CelQuantity, b: CelQuantity) => new CelQuantity(addQuantities(a.value, b.value)),
  )
  environment.registerFunction(
    'Quantity.sub(Quantity): Quantity',
    (a: CelQuantity, b: CelQuantity) => new CelQuantity(subtractQuantities(a.value, b.value)),
  )
  environment.registerFunction('Quantity.asInteger(): int', (one: CelQuantity) =>
    BigInt(Math.trunc(quantityUnits(one.value))),
  )
}
