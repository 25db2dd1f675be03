// The rules of a custom kind (x-kubernetes-validations): compiled once a version of the definition, evaluated for every value they stand at.
import { noRules, type RuleCheck } from '../../resources/custom/custom-type.ts'
import {
  isJsonList,
  isJsonObject,
  type JsonObject,
  type JsonSchema,
  schemaOfMember,
  type ValidationRule,
} from '../../resources/custom/json-schema.ts'
import { below } from '../../resources/custom/validate-value.ts'
import { jsonEqual } from '../../resources/json-equal.ts'
import type { FieldError, Json } from '../../resources/object.ts'
import { celEnvironment } from './cel-environment.ts'
import {
  type CelBudget,
  celFailure,
  CelProblem,
  type CelProgram,
  checkTypes,
  compileCel,
  newBudget,
} from './cel-program.ts'
import { CelTypes } from './cel-types.ts'
import { celValue } from './cel-values.ts'

interface CompiledRule {
  readonly rule: ValidationRule
  readonly run: CelProgram
  readonly message: CelProgram | undefined
  /** Compares with the value before: of no use where there is none. */
  readonly isTransition: boolean
}

interface Compiled {
  readonly schema: JsonSchema
  readonly rules: readonly CompiledRule[]
  readonly members: ReadonlyMap<string, Compiled>
  readonly others: Compiled | undefined
  readonly items: Compiled | undefined
}

interface RuleFailure {
  readonly error: FieldError
  readonly isTransition: boolean
}

/** Errors of one answer. */
const errorsMax = 50

export interface RuleProblem {
  /** Below the schema: `properties[spec].x-kubernetes-validations[0].rule`. */
  readonly field: string
  readonly rule: string
  readonly problem: string
}

export const compileRules = (schema: JsonSchema): RuleCheck => {
  const compiled = new RuleCompiler().compile(schema, '')
  if (compiled === undefined) return noRules
  return (object, old) => {
    const failures: RuleFailure[] = []
    evaluate(compiled, { value: object, old, path: '', budget: newBudget() }, failures)
    return failures.map(({ error }) => error)
  }
}

/** The rules that do not compile. */
export const ruleProblems = (schema: JsonSchema): readonly RuleProblem[] => {
  const compiler = new RuleCompiler(true)
  compiler.compile(schema, '')
  return compiler.problems
}

class RuleCompiler {
  readonly problems: RuleProblem[] = []
  readonly #environment = celEnvironment(['self', 'oldSelf'])
  readonly #checksTypes: boolean

  constructor(checksTypes = false) {
    this.#checksTypes = checksTypes
  }

  /** undefined: there is no rule in it. */
  compile(schema: JsonSchema, field: string): Compiled | undefined {
    const at = (part: string): string => (field === '' ? part : `${field}.${part}`)
    const rules = (schema['x-kubernetes-validations'] ?? []).flatMap((rule, index) =>
      this.#rule(rule, at(`x-kubernetes-validations[${index}]`), schema),
    )
    const members = new Map<string, Compiled>()
    for (const [name, member] of Object.entries(schema.properties ?? {})) {
      const compiled = this.compile(member, at(`properties[${name}]`))
      if (compiled !== undefined) members.set(name, compiled)
    }
    const more = schema.additionalProperties
    const others =
      typeof more === 'object' ? this.compile(more, at('additionalProperties')) : undefined
    const items = schema.items === undefined ? undefined : this.compile(schema.items, at('items'))
    const isEmpty = rules.length === 0 && members.size === 0
    if (isEmpty && others === undefined && items === undefined) return undefined
    return { schema, rules, members, others, items }
  }

  #rule(rule: ValidationRule, field: string, schema: JsonSchema): CompiledRule[] {
    const run = this.#program(rule.rule, `${field}.rule`)
    if (run !== undefined && this.#checksTypes) {
      const isWhole = !/[\].]x-/.test(field)
      const problem = typeProblem(rule, schema, isWhole)
      if (problem !== undefined) {
        this.problems.push({ field: `${field}.rule`, rule: rule.rule, problem })
      }
    }
    const { messageExpression } = rule
    const message =
      messageExpression === undefined
        ? undefined
        : this.#program(messageExpression, `${field}.messageExpression`)
    if (run === undefined) return []
    return [{ rule, run, message, isTransition: /\boldSelf\b/.test(rule.rule) }]
  }

  #program(text: string, field: string): CelProgram | undefined {
    try {
      return compileCel(this.#environment, text)
    } catch (reason) {
      if (!(reason instanceof CelProblem)) throw reason
      this.problems.push({ field, rule: text, problem: reason.message })
    }
    return undefined
  }
}

/** `isWhole`: the schema is that of the objects themselves, which have more than it says. */
const typeProblem = (
  { rule, optionalOldSelf }: ValidationRule,
  schema: JsonSchema,
  isWhole: boolean,
): string | undefined => {
  const environment = celEnvironment([])
  const types = new CelTypes(environment)
  const head = isWhole
    ? {
        apiVersion: 'string',
        kind: 'string',
        metadata: types.ofMembers({ name: 'string', generateName: 'string' }),
      }
    : {}
  const type = types.ofSchema(schema, head)
  environment.registerVariable('self', type)
  environment.registerVariable('oldSelf', optionalOldSelf === true ? 'dyn' : type)
  const { problem } = checkTypes(environment, rule)
  return problem === undefined ? undefined : `compilation failed: ${problem}`
}

interface Place {
  readonly value: Json
  readonly old: Json | undefined
  readonly path: string
  /** Of all rules of the object together. */
  readonly budget: CelBudget
}

/** What an update did not touch may stay as it is, unless a rule compares it with what was there before. */
const evaluate = (compiled: Compiled, place: Place, errors: RuleFailure[]): void => {
  const { value, old } = place
  if (value === null || errors.length >= errorsMax) return
  const before = errors.length
  evaluateWhole(compiled, place, errors)
  if (errors.length === before || old === undefined || !jsonEqual(value, old)) return
  errors.push(...errors.splice(before).filter(({ isTransition }) => isTransition))
}

const evaluateWhole = (compiled: Compiled, place: Place, errors: RuleFailure[]): void => {
  const { value, old, path, budget } = place
  for (const rule of compiled.rules) {
    const error = failure(rule, compiled.schema, place)
    if (error !== undefined) errors.push({ error, isTransition: rule.isTransition })
  }
  if (isJsonList(value)) evaluateItems(compiled, { value, old, path, budget }, errors)
  else if (isJsonObject(value)) evaluateMembers(compiled, { value, old, path, budget }, errors)
}

const evaluateItems = (
  { schema, items }: Compiled,
  { value, old, path, budget }: Place & { readonly value: readonly Json[] },
  errors: RuleFailure[],
): void => {
  if (items === undefined) return
  const keys =
    schema['x-kubernetes-list-type'] === 'map' ? (schema['x-kubernetes-list-map-keys'] ?? []) : []
  const keyOf = (item: Json): string =>
    JSON.stringify(keys.map((key) => (isJsonObject(item) ? (item[key] ?? null) : null)))
  const before = new Map<string, Json>()
  if (keys.length > 0 && isJsonList(old)) for (const item of old) before.set(keyOf(item), item)
  for (const [index, item] of value.entries()) {
    const matching = keys.length === 0 ? undefined : before.get(keyOf(item))
    evaluate(items, { value: item, old: matching, path: `${path}[${index}]`, budget }, errors)
  }
}

const evaluateMembers = (
  compiled: Compiled,
  { value, old, path, budget }: Place & { readonly value: JsonObject },
  errors: RuleFailure[],
): void => {
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue
    const known = compiled.schema.properties
    const isKnown = known !== undefined && Object.hasOwn(known, name)
    const inner = isKnown ? compiled.members.get(name) : compiled.others
    if (inner === undefined || schemaOfMember(compiled.schema, name) === undefined) continue
    const before = isJsonObject(old) && Object.hasOwn(old, name) ? old[name] : undefined
    evaluate(inner, { value: member, old: before, path: below(path, name), budget }, errors)
  }
}

const failure = (
  { rule, run, message, isTransition }: CompiledRule,
  schema: JsonSchema,
  { value, old, path, budget }: Place,
): FieldError | undefined => {
  if (isTransition && old === undefined && rule.optionalOldSelf !== true) return undefined
  const context = {
    self: celValue(schema, value),
    ...(isTransition && old !== undefined ? { oldSelf: celValue(schema, old) } : {}),
  }
  let text: string
  try {
    if (run(context, budget) === true) return undefined
    text = message === undefined ? '' : messageOf(message, context, budget)
  } catch (reason) {
    text = `rule evaluation error: ${celFailure(reason)}`
  }
  if (text === '') text = rule.message ?? `failed rule: ${rule.rule}`
  return ruleError(rule, text, {
    path: `${path}${rule.fieldPath ?? ''}`.replace(/^\./, ''),
    schema,
    value,
  })
}

const messageOf = (
  message: CelProgram,
  context: Readonly<Record<string, unknown>>,
  budget: CelBudget,
): string => {
  try {
    const text = message(context, budget)
    return typeof text === 'string' ? text.trim() : ''
  } catch {
    // As upstream: a message that cannot be made gives way to the one that is written.
    return ''
  }
}

const ruleError = (
  rule: ValidationRule,
  text: string,
  {
    path,
    schema,
    value,
  }: { readonly path: string; readonly schema: JsonSchema; readonly value: Json },
): FieldError => {
  const field = path === '' ? '<nil>' : path
  const shown = JSON.stringify(typeof value === 'object' ? (schema.type ?? 'object') : value)
  switch (rule.reason) {
    case 'FieldValueForbidden':
      return { reason: rule.reason, field, message: `Forbidden: ${text}` }
    case 'FieldValueRequired':
      return { reason: rule.reason, field, message: `Required value: ${text}` }
    case 'FieldValueDuplicate':
      return { reason: rule.reason, field, message: `Duplicate value: ${shown}` }
    case undefined:
    default:
      return { reason: 'FieldValueInvalid', field, message: `Invalid value: ${shown}: ${text}` }
  }
}
