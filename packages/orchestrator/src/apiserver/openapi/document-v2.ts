// The OpenAPI v2 document in gnostic's protobuf: all definitions, and for each kind the patch that clients look at before they write.
// Numbers of fields are those of gnostic's openapiv2 messages.
import type { Json } from '../../resources/object.ts'
import { definitionsOf, dialectV2, type DescribedKind } from './definitions.ts'
import { bearerToken } from './document-v3.ts'
import { objectPath, type OperatedKind, patchParameters, pathsOf } from './operations.ts'
import type { Schema } from './scalar-schemas.ts'

const lengthDelimited = 2
/** How deep schemas of custom resources are written. */
const depthMax = 64

/** What another server brings: definitions by name, and of the paths of its objects the kinds that are patched there. */
export interface RemoteDocument {
  readonly definitions: ReadonlyMap<string, Schema>
  readonly patches: ReadonlyMap<string, Schema>
}

export const documentV2 = (
  types: readonly OperatedKind[],
  others: readonly DescribedKind[],
  remotes: readonly RemoteDocument[] = [],
): Buffer => {
  const own = new Map(
    types
      .filter(({ verbs }) => verbs.includes('patch'))
      .map((type): [string, Schema] => [objectPath(type), gvkOf(type)]),
  )
  const paths = merged(
    own,
    remotes.map(({ patches }) => patches),
  ).map(([path, gvk]) => field(2, message(field(1, path), field(2, pathItem(gvk)))))
  const definitions = allDefinitions(types, others, remotes).map(([name, schema]) =>
    field(1, named(name, encodeSchema(schema, 0))),
  )
  const info = message(field(1, 'Kubernetes'), field(2, 'v1'))
  return message(
    field(1, '2.0'),
    field(2, info),
    field(8, message(...paths)),
    field(9, message(...definitions)),
  )
}

/** The same as JSON, with all operations: what clients get that do not ask for protobuf. */
export const documentV2Json = (
  types: readonly OperatedKind[],
  others: readonly DescribedKind[],
  remotes: readonly RemoteDocument[] = [],
): object => ({
  swagger: '2.0',
  info: { title: 'Kubernetes', version: 'v1' },
  paths: pathsOf(types, 'v2'),
  definitions: Object.fromEntries(allDefinitions(types, others, remotes)),
  securityDefinitions: { BearerToken: bearerToken },
  security: [{ BearerToken: [] }],
})

const allDefinitions = (
  types: readonly OperatedKind[],
  others: readonly DescribedKind[],
  remotes: readonly RemoteDocument[],
): (readonly [string, Schema])[] =>
  merged(
    definitionsOf([...types, ...others], dialectV2),
    remotes.map((remote) => remote.definitions),
  )

/** What was there first stays: nobody redefines what others mean by a name. */
const merged = (
  own: ReadonlyMap<string, Schema>,
  others: readonly ReadonlyMap<string, Schema>[],
): (readonly [string, Schema])[] => {
  const all = new Map(own)
  for (const [name, schema] of others.flatMap((one) => [...one])) {
    if (!all.has(name)) all.set(name, schema)
  }
  return [...all]
}

const gvkOf = ({ group, version, kind }: OperatedKind): Schema => ({ group, kind, version })

/** A PathItem with its PATCH operation alone. */
const pathItem = (kind: Schema): Buffer => {
  const parameters = patchParameters.map(({ name, type }) =>
    field(
      8,
      field(1, field(2, field(3, message(field(2, 'query'), field(4, name), field(6, type))))),
    ),
  )
  const gvk = extension('x-kubernetes-group-version-kind', kind, 13)
  return field(8, message(...parameters, gvk))
}

const encodeSchema = (schema: Schema, depth: number): Buffer => {
  const parts: Buffer[] = []
  if (depth > depthMax) return Buffer.alloc(0)
  for (const [key, value] of Object.entries(schema)) {
    if (value === undefined || value === null) continue
    const part = encodeMember(key, value, depth)
    if (part !== undefined) parts.push(...part)
  }
  return message(...parts)
}

/** undefined: OpenAPI v2 has no such member. */
const encodeMember = (key: string, value: Json, depth: number): Buffer[] | undefined => {
  if (key.startsWith('x-')) return [extension(key, value, 31)]
  switch (key) {
    case '$ref':
      return [field(1, textOf(value))]
    case 'format':
      return [field(2, textOf(value))]
    case 'description':
      return [field(4, textOf(value))]
    case 'required':
      return isList(value) ? value.map((one) => field(19, textOf(one))) : []
    case 'additionalProperties':
      return [
        field(
          21,
          isObject(value) ? field(1, encodeSchema(value, depth + 1)) : flag(2, value === true),
        ),
      ]
    case 'type':
      return [field(22, field(1, textOf(value)))]
    case 'items':
      return isObject(value) ? [field(23, field(1, encodeSchema(value, depth + 1)))] : []
    case 'properties':
      return isObject(value)
        ? [
            field(
              25,
              message(
                ...Object.entries(value).flatMap(([name, one]) =>
                  isObject(one) ? [field(1, named(name, encodeSchema(one, depth + 1)))] : [],
                ),
              ),
            ),
          ]
        : []
    default:
      return undefined
  }
}

/** A NamedAny; what it holds is YAML, of which JSON is a part. */
const extension = (name: string, value: Json, number: number): Buffer =>
  field(number, message(field(1, name), field(2, field(2, JSON.stringify(value)))))

const named = (name: string, value: Buffer): Buffer => message(field(1, name), field(2, value))

const textOf = (value: Json): string => (typeof value === 'string' ? value : '')

const isList = (value: Json): value is readonly Json[] => Array.isArray(value)

const isObject = (value: Json | undefined): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** One field of protobuf's wire format with a text or a message as its value. */
const field = (number: number, value: string | Buffer): Buffer => {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value
  return message(varint((number << 3) | lengthDelimited), varint(bytes.length), bytes)
}
const flag = (number: number, value: boolean): Buffer =>
  message(varint(number << 3), varint(value ? 1 : 0))

const message = (...parts: readonly Buffer[]): Buffer => Buffer.concat(parts)

const varint = (value: number): Buffer => {
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  return Buffer.from([...bytes, rest])
}
