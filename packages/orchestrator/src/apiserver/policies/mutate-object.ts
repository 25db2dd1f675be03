// The changes that one policy makes to one object: parts of objects are merged into it as server-side apply would, without owners;
// JSON patches are applied. Each change sees what the one before it made.
import { ApiError } from '../../client/api-client.ts'
import { mutationExpression } from '../../resources/admission/mutating-admission-policy.ts'
import type { Json, KubeObject, ResourceType } from '../../resources/object.ts'
import { isJsonList, isJsonObject } from '../../resources/patch/patch-result.ts'
import { decodeObject } from '../../resources/schema/decode-object.ts'
import { apiVersionOf } from '../../resources/served-version.ts'
import type { AdmissionRequest } from '../admission/admission.ts'
import { mergeConfig } from '../apply/merge-config.ts'
import { type Structure, structureOf } from '../apply/structure.ts'
import { internalError } from '../api-errors.ts'
import { type CelProgram, newBudget } from '../custom/cel-program.ts'
import { decodeAs, lenient } from '../registry/decode.ts'
import { applyPatch } from '../registry/patch.ts'
import { type CompiledMutation, type CompiledPolicy, PolicyVariables } from './compiled-policy.ts'
import { contextOf, failureText, matchOf, type PolicyInput } from './evaluate-policy.ts'
import { jsonOf, ObjectLiteral, PatchLiteral } from './object-literals.ts'

/** Why a policy could not make its changes. */
export class MutationProblem extends Error {}

/** `params` undefined: there are none. Throws MutationProblem, and ApiError for what a patch made that is no object of the kind. */
export const mutated = (
  compiled: CompiledPolicy,
  { type, object: first }: AdmissionRequest,
  inputOf: (object: KubeObject) => PolicyInput,
  params: KubeObject | undefined,
): KubeObject => {
  const budget = newBudget()
  const runFor = (object: KubeObject): ((program: CelProgram) => unknown) => {
    const run = (program: CelProgram): unknown => program(context, budget)
    const variables = new PolicyVariables(compiled.variables, run)
    const context = contextOf(inputOf(object), params, variables)
    return run
  }
  const match = matchOf(compiled, runFor(first))
  if (match === false) return first
  if (match !== true) throw new MutationProblem(match)
  let object = first
  for (const one of compiled.mutations) {
    const value = evaluated(one, runFor(object))
    object =
      one.mutation.patchType === 'JSONPatch'
        ? withOperations(type, object, value)
        : withConfiguration(type, object, value)
  }
  return object
}

const evaluated = (
  { mutation, run: program }: CompiledMutation,
  run: (program: CelProgram) => unknown,
): unknown => {
  try {
    return run(program)
  } catch (reason) {
    throw new MutationProblem(failureText(mutationExpression(mutation), reason))
  }
}

/** What an expression made, as JSON. */
const asJson = (value: unknown, place?: string): Json => {
  try {
    return jsonOf(value, place)
  } catch (reason) {
    throw new MutationProblem(reason instanceof Error ? reason.message : String(reason))
  }
}

/** A body that is of a kind of its own has no schema here. */
const isOther = (type: ResourceType, { kind }: KubeObject): boolean =>
  kind !== '' && kind !== type.kind

const withConfiguration = (type: ResourceType, object: KubeObject, value: unknown): KubeObject => {
  if (!(value instanceof ObjectLiteral)) {
    throw new MutationProblem('unsupported return type from ApplyConfiguration expression')
  }
  const config = asJson(value)
  const head = { apiVersion: apiVersionOf(type), kind: type.kind }
  if (isOther(type, object)) {
    throw new MutationProblem(`Resource kind ${object.kind} not found`)
  }
  const decoded = decodeObject(type, { ...head, ...(config as object) })
  const typed = 'error applying patch: failed to convert patch object to typed object'
  if (!decoded.ok) throw new MutationProblem(`${typed}: ${decoded.message}`)
  const [unknown] = decoded.unknownFields
  if (unknown !== undefined) {
    throw new MutationProblem(`${typed}: .${unknown}: field not declared in schema`)
  }
  const structure = structureOf(type)
  const atomics = atomicParts(config, structure, '')
  if (atomics.length > 0) {
    throw new MutationProblem(
      `error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${atomics.join(', ')}`,
    )
  }
  return decodeAs(type, mergeConfig(object as unknown as Json, config, structure), lenient)
}

/** Lists and objects that would be replaced as a whole. */
const atomicParts = (config: Json, structure: Structure, path: string): readonly string[] => {
  if (isJsonList(config)) {
    const { items } = structure
    if (items === undefined) return [path]
    return config.flatMap((item, index) => atomicParts(item, items.structure, `${path}[${index}]`))
  }
  if (!isJsonObject(config)) return []
  const members = Object.entries(config).map(
    ([name, value]) => [name, value ?? null, structure.member(name)] as const,
  )
  if (members.some(([, , member]) => member === undefined)) return [path]
  return members.flatMap(([name, value, member]) =>
    member === undefined ? [] : atomicParts(value, member, `${path}.${name}`),
  )
}

const withOperations = (type: ResourceType, object: KubeObject, value: unknown): KubeObject => {
  const isPatch = Array.isArray(value) && value.every((one) => one instanceof PatchLiteral)
  if (!isPatch) {
    throw new MutationProblem(
      'type mismatch: JSONPatchType.expression should evaluate to array of JSONPatch',
    )
  }
  const operations = value.map(({ fields }): Json => {
    const members = [...fields].map(([name, member]) => {
      // A literal is checked from its own type on.
      const place = member instanceof ObjectLiteral ? member.place : ''
      return [name, asJson(member, place)] as const
    })
    return Object.fromEntries(members)
  })
  let patched: Json
  try {
    patched = applyPatch(object as unknown as Json, 'json', operations, {})
  } catch (reason) {
    if (!(reason instanceof ApiError)) throw reason
    // A test that fails means that there is nothing to be changed.
    if (/^testing value .* failed/.test(reason.message)) return object
    throw new MutationProblem(`JSONPatch: ${reason.message}`)
  }
  if (isOther(type, object)) return patched as unknown as KubeObject
  try {
    return decodeAs(type, patched, { fieldValidation: 'Strict', warn: () => undefined })
  } catch (reason) {
    throw reason instanceof ApiError ? internalError(reason.message) : reason
  }
}
