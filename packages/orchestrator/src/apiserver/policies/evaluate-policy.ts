// What one policy says of one request with one set of params: which of its rules are broken, and what it wants written into the audit log.
import type { ValidatingAdmissionPolicy } from '../../resources/admission/validating-admission-policy.ts'
import type { Json, KubeObject } from '../../resources/object.ts'
import type { AdmissionRequest } from '../admission/admission.ts'
import {
  CelBudgetError,
  celFailure,
  type CelBudget,
  type CelProgram,
  newBudget,
} from '../custom/cel-program.ts'
import { celValue } from '../custom/cel-values.ts'
import { reviewedRequest } from '../webhooks/admission-review.ts'
import type { CelAuthorizer } from './cel-authorizer.ts'
import { type CompiledPolicy, type CompiledValidation, PolicyVariables } from './compiled-policy.ts'

/** A broken rule. */
export interface Violation {
  /** Of the rule among those of the policy. */
  readonly index: number
  readonly message: string
  /** '' where the rule gives none. */
  readonly reason: string
}
export interface PolicyOutcome {
  readonly violations: readonly Violation[]
  readonly annotations: readonly { readonly key: string; readonly value: string }[]
}

type Context = Readonly<Record<string, unknown>>

const nothing: PolicyOutcome = { violations: [], annotations: [] }
const messageBytesMax = 5 * 1024
const annotationLengthMax = 10 * 1024

/** The request as expressions see it; each part is made when the first of them asks for it. */
export class PolicyInput {
  readonly #request: AdmissionRequest
  readonly #namespace: () => KubeObject | undefined
  readonly authorizer: CelAuthorizer
  readonly #made = new Map<string, unknown>()

  constructor(
    request: AdmissionRequest,
    namespace: () => KubeObject | undefined,
    authorizer: CelAuthorizer,
  ) {
    this.#request = request
    this.#namespace = namespace
    this.authorizer = authorizer
  }

  get object(): unknown {
    return this.#once('object', () => this.#reviewed('object'))
  }

  get oldObject(): unknown {
    return this.#once('oldObject', () => this.#reviewed('oldObject'))
  }

  get request(): unknown {
    return this.#once('request', () => {
      const { object: _object, oldObject: _old, ...reviewed } = reviewedRequest(this.#request)
      const { uid = '' } = this.#request.user
      const empty = { name: '', namespace: '', subResource: '', requestSubResource: '' }
      const userInfo = { uid, extra: {}, ...(reviewed['userInfo'] as object) }
      return celValue(undefined, { ...empty, ...reviewed, userInfo })
    })
  }

  get namespaceObject(): unknown {
    return this.#once('namespaceObject', () =>
      celValue(undefined, (this.#namespace() ?? null) as unknown as Json),
    )
  }

  #reviewed(member: 'object' | 'oldObject'): unknown {
    return celValue(undefined, reviewedRequest(this.#request)[member] ?? null)
  }

  #once(name: string, make: () => unknown): unknown {
    if (!this.#made.has(name)) this.#made.set(name, make())
    return this.#made.get(name)
  }
}

/** `params` undefined: there are none. */
export const evaluatePolicy = (
  { spec }: ValidatingAdmissionPolicy,
  compiled: CompiledPolicy,
  input: PolicyInput,
  params: KubeObject | undefined,
): PolicyOutcome => {
  const budget = newBudget()
  const run = (program: CelProgram): unknown => program(context, budget)
  const context = contextOf(input, params, new PolicyVariables(compiled.variables, run))
  const isFatal = spec.failurePolicy !== 'Ignore'
  const failed = (index: number, message: string): Violation[] =>
    isFatal ? [{ index, message, reason: '' }] : []
  const match = matchOf(compiled, run)
  if (match === false) return nothing
  if (match !== true) return { violations: failed(0, match), annotations: [] }
  const violations: Violation[] = []
  for (const [index, rule] of compiled.validations.entries()) {
    try {
      if (run(rule.run) === true) continue
      const { reason = '' } = rule.validation
      violations.push({ index, reason, message: messageOf(rule, context, budget) })
    } catch (error) {
      const { expression } = rule.validation
      violations.push(...failed(index, failureText(expression, error)))
      if (error instanceof CelBudgetError) break
    }
  }
  const annotations: { key: string; value: string }[] = []
  for (const [index, { key, run: program }] of compiled.annotations.entries()) {
    try {
      const value = run(program)
      if (typeof value === 'string' && value.trim() !== '') {
        annotations.push({ key, value: value.trim().slice(0, annotationLengthMax) })
      }
    } catch (error) {
      const { valueExpression = '' } = spec.auditAnnotations?.[index] ?? {}
      violations.push(...failed(index, failureText(valueExpression, error)))
    }
  }
  return { violations, annotations }
}

/** Getters of the input stay getters. */
export const contextOf = (
  input: PolicyInput,
  params: KubeObject | undefined,
  variables: PolicyVariables,
): Context => ({
  get object(): unknown {
    return input.object
  },
  get oldObject(): unknown {
    return input.oldObject
  },
  get request(): unknown {
    return input.request
  },
  get namespaceObject(): unknown {
    return input.namespaceObject
  },
  authorizer: input.authorizer,
  params: celValue(undefined, (params ?? null) as unknown as Json),
  variables,
})

/** A text: why that cannot be told. A condition that does not hold counts more than one that fails. */
export const matchOf = (
  { conditions }: CompiledPolicy,
  run: (program: CelProgram) => unknown,
): boolean | string => {
  let failure: string | undefined
  for (const { name, run: condition } of conditions) {
    try {
      if (run(condition) !== true) return false
    } catch (reason) {
      failure ??= `match condition ${JSON.stringify(name)}: ${celFailure(reason)}`
    }
  }
  return failure ?? true
}

export const failureText = (expression: string, reason: unknown): string =>
  reason instanceof CelBudgetError
    ? reason.message
    : `expression '${expression}' resulted in error: ${celFailure(reason)}`

const messageOf = (
  { validation, message }: CompiledValidation,
  context: Context,
  budget: CelBudget,
): string => {
  const made = message === undefined ? '' : madeMessage(message, context, budget)
  if (made !== '') return made
  const written = (validation.message ?? '').trim()
  return written === '' ? `failed expression: ${validation.expression.trim()}` : written
}

/** '' where it fails, is too long or has more than one line: the written message takes its place. */
const madeMessage = (message: CelProgram, context: Context, budget: CelBudget): string => {
  try {
    const value = message(context, budget)
    const text = typeof value === 'string' ? value.trim() : ''
    return text.includes('\n') || Buffer.byteLength(text) > messageBytesMax ? '' : text
  } catch {
    return ''
  }
}
