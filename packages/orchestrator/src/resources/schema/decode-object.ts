// Turns arbitrary JSON into an object of a kind, as Go's decoder would: wrong types are refused with its text, null and '' mean absent,
// unknown fields are dropped and named, quantities become canonical text. What comes out has the types that the kind's files declare,
// so that defaults, validation and printing need no checks of their own.
import { base64ProblemIndex } from '../base64.ts'
import type { Json, KubeObject, ResourceType } from '../object.ts'
import { formatQuantity, parseQuantity, quantityPattern } from '../quantity.ts'
import { findMessage, goTypeName, messageOfKind } from './messages.ts'
import type { Field, FieldType, Message } from './messages.ts'

export type Decoded<T extends KubeObject> =
  | {
      readonly ok: true
      readonly object: T
      /** Paths of fields the kind does not have, e.g. `spec.containers[0].foo`; they are not in `object`. */
      readonly unknownFields: readonly string[]
    }
  | { readonly ok: false; readonly message: string }

/** What decoding must know of a kind. */
export type KindOf<T extends KubeObject = KubeObject> = Pick<
  ResourceType<T>,
  'group' | 'version' | 'kind'
> &
  Partial<Pick<ResourceType<T>, 'defaults' | 'decode'>>

type JsonObject = { readonly [key: string]: Json | undefined }

/** Unknown fields named in one answer; more are dropped without a word. */
const unknownFieldsMax = 20
/** Levels of free JSON (managed fields), so that no one can make a writer of it run out of stack. */
const freeJsonDepthMax = 100
const int32Max = 2 ** 31 - 1

/**
 * Checks and normalizes `value` for `type`. The message of a failure is the whole text that Kubernetes answers with 400 BadRequest:
 * `Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal ...`. Never throws.
 */
export const decodeObject = <T extends KubeObject>(type: KindOf<T>, value: Json): Decoded<T> => {
  if (type.decode !== undefined) return type.decode(value)
  const message = messageOfKind(type)
  if (message === undefined) return { ok: false, message: `no kind ${type.kind} is registered` }
  return decodeMessage<T>(type, message, value)
}

/** apiVersion, kind and metadata alone: what objects without a schema of their own have in common with all others. */
export const decodeMetadata = (
  type: Pick<ResourceType, 'group' | 'version' | 'kind'>,
  value: Json,
): Decoded<KubeObject> => {
  const message = findMessage('meta/v1', 'PartialObjectMetadata')
  if (message === undefined) return { ok: false, message: 'metadata has no schema' }
  return decodeMessage<KubeObject>(type, message, value)
}

const decodeMessage = <T extends KubeObject>(
  type: Pick<ResourceType, 'version' | 'kind'>,
  message: Message,
  value: Json,
): Decoded<T> => {
  const decoder = new Decoder()
  const object = decoder.root(message, value)
  if (decoder.problem !== undefined) {
    return {
      ok: false,
      message: `${type.kind} in version "${type.version}" cannot be handled as a ${type.kind}: ${decoder.problem}`,
    }
  }
  // The schema of the kind has just been checked field by field: this is the boundary where JSON becomes T.
  return { ok: true, object: object as unknown as T, unknownFields: decoder.unknownFields }
}

/** What Kubernetes answers under fieldValidation=Strict. A problem is e.g. `unknown field "spec.foo"`. */
export const strictDecodingMessage = (
  type: Pick<ResourceType, 'kind' | 'version'>,
  problems: readonly string[],
): string =>
  `${type.kind} in version "${type.version}" cannot be handled as a ${type.kind}: ${strictProblem(problems)}`

/** The same without the kind, which is not named where a patch made the object. */
export const strictProblem = (problems: readonly string[]): string =>
  `strict decoding error: ${problems.join(', ')}`

class Decoder {
  /** The first thing that is wrong; decoding goes on with zero values and its result is not used. */
  problem: string | undefined
  readonly unknownFields: string[] = []
  /** Where decoding is: names of fields, and numbers of list elements. Written out only when something is wrong. */
  readonly #path: (string | number)[] = []

  root(message: Message, value: Json): JsonObject {
    if (isObject(value)) return this.#struct(message, value)
    const goName = goTypeName({ name: message.name, message: () => message })
    this.#fail(`json: cannot unmarshal ${jsonKind(value)} into Go value of type ${goName}`)
    return {}
  }

  #struct(message: Message, source: JsonObject): JsonObject {
    const object: Record<string, Json> = {}
    for (const key of Object.keys(source)) {
      const field = message.byName.get(key)
      const member = source[key]
      this.#path.push(key)
      if (field === undefined) this.#noteUnknown()
      else if (member !== undefined && member !== null) {
        const decoded = this.#field(message, field, member)
        // Where there is no pointer Go does not tell an empty text from none, and does not write it.
        if (decoded !== undefined && (decoded !== '' || field.isPointer)) object[key] = decoded
      }
      this.#path.pop()
    }
    for (const field of message.always) {
      if (object[field.name] !== undefined) continue
      const zero = zeroOf(field)
      if (zero !== undefined) object[field.name] = zero
    }
    return object
  }

  #field(message: Message, field: Field, value: Json): Json | undefined {
    const { shape, type } = field
    if (shape === 'one') return this.#value(message, type, value)
    if (shape === 'list') {
      if (!isList(value)) return this.#wrongType(message, value, `[]${goTypeName(type)}`)
      return value.map((element, index) => {
        this.#path.push(index)
        const decoded = this.#value(message, type, element)
        this.#path.pop()
        return decoded ?? null
      })
    }
    if (!isObject(value)) return this.#wrongType(message, value, `map[string]${goTypeName(type)}`)
    // Keys of maps are the client's own words: made by entries, even `__proto__` is a key like any other.
    return Object.fromEntries(
      Object.entries(value).map(([key, element]) => [key, this.#value(message, type, element)]),
    )
  }

  #value(message: Message, type: FieldType, value: Json | undefined): Json | undefined {
    // Go leaves elements of lists and maps that are null at their zero value.
    if (value === undefined || value === null) return zeroOfType(type)
    if (typeof type !== 'string') {
      if (isObject(value)) return this.#struct(type.message(), value)
      return this.#wrongType(message, value, goTypeName(type))
    }
    switch (type) {
      case 'string':
        return typeof value === 'string' ? value : this.#wrongType(message, value, 'string')
      case 'bool':
        return typeof value === 'boolean' ? value : this.#wrongType(message, value, 'bool')
      case 'int32':
      case 'int64':
        return isInteger(value, type) ? value : this.#wrongType(message, value, type)
      case 'intOrString':
        return typeof value === 'string' || isInteger(value, 'int32')
          ? value
          : this.#wrongType(message, value, 'int32')
      case 'double':
        return typeof value === 'number' ? value : this.#wrongType(message, value, 'float64')
      case 'quantity':
        return this.#quantity(value)
      case 'strings':
        return isList(value) && value.every((item) => typeof item === 'string')
          ? value
          : this.#wrongType(message, value, '[]string')
      case 'json':
      case 'raw':
        return isShallow(value, freeJsonDepthMax) ? value : this.#fail('json: exceeded max depth')
      case 'time':
      case 'microTime':
        if (typeof value !== 'string') return this.#wrongType(message, value, 'string')
        return canonicalTime(value, type) ?? this.#fail(timeProblem(value, type))
      case 'bytes':
        if (typeof value !== 'string') return this.#wrongType(message, value, goTypeName(type))
        return this.#bytes(value)
    }
  }

  #bytes(text: string): string | undefined {
    const index = base64ProblemIndex(text)
    if (index !== undefined) return this.#fail(`illegal base64 data at input byte ${index}`)
    return text.replaceAll(/[\r\n]/g, '')
  }

  #quantity(value: Json): Json | undefined {
    const isText = typeof value === 'string' || typeof value === 'number'
    const quantity = isText ? parseQuantity(String(value).trim()) : undefined
    return quantity === undefined
      ? this.#fail(`quantities must match the regular expression ${quantityPattern}`)
      : formatQuantity(quantity)
  }

  #noteUnknown(): void {
    if (this.unknownFields.length < unknownFieldsMax) this.unknownFields.push(pathText(this.#path))
  }

  #wrongType(message: Message, found: Json, goType: string): undefined {
    // Go's paths do not count list elements.
    const path = this.#path.filter((part) => typeof part === 'string').join('.')
    return this.#fail(
      `json: cannot unmarshal ${jsonKind(found)} into Go struct field ${message.name}.${path} of type ${goType}`,
    )
  }

  #fail(problem: string): undefined {
    this.problem ??= problem
    return undefined
  }
}

/** e.g. `spec.containers[0].foo`. */
const pathText = (path: readonly (string | number)[]): string =>
  path
    .map((part, index) =>
      typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`,
    )
    .join('')

const isList = (value: Json): value is readonly Json[] => Array.isArray(value)

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isInteger = (value: Json, type: 'int32' | 'int64'): value is number =>
  typeof value === 'number' &&
  Number.isSafeInteger(value) &&
  (type === 'int64' || (value <= int32Max && value >= -int32Max - 1))

/** How Go names what it found; numbers that do not fit are named with their digits. */
const jsonKind = (value: Json): string => {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) && Math.abs(value) <= int32Max ? 'number' : `number ${value}`
  }
  return typeof value === 'boolean' ? 'bool' : typeof value
}

const isShallow = (value: Json, depth: number): boolean => {
  if (typeof value !== 'object' || value === null) return true
  return depth > 0 && Object.values(value).every((member) => isShallow(member ?? null, depth - 1))
}

const timePattern = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/

/** As Go writes it again: in UTC, `time` in seconds, `microTime` with six digits more. undefined: it is no time. */
const canonicalTime = (text: string, type: 'time' | 'microTime'): string | undefined => {
  const milliseconds = Date.parse(text)
  const match = timePattern.exec(text)
  if (match === null || Number.isNaN(milliseconds)) return undefined
  const [, local = '', fraction = '', zone] = match
  const seconds = zone === 'Z' ? local : new Date(milliseconds).toISOString().slice(0, 19)
  return type === 'time' ? `${seconds}Z` : `${seconds}.${fraction.padEnd(6, '0').slice(0, 6)}Z`
}

const timeProblem = (text: string, type: 'time' | 'microTime'): string => {
  const layout = type === 'time' ? '2006-01-02T15:04:05Z07:00' : '2006-01-02T15:04:05.000000Z07:00'
  return `parsing time ${JSON.stringify(text)} as "${layout}": cannot parse ${JSON.stringify(text)} as "2006"`
}

const zeroOf = (field: Field): Json | undefined => {
  if (!field.always) return undefined
  if (field.shape === 'list') return []
  return field.shape === 'map' ? {} : zeroOfType(field.type)
}

const zeroOfType = (type: FieldType): Json | undefined => {
  if (typeof type !== 'string') {
    return Object.fromEntries(
      type.message().fields.flatMap((field) => {
        const zero = zeroOf(field)
        return zero === undefined ? [] : [[field.name, zero]]
      }),
    )
  }
  return zeroValues[type]
}

const zeroValues: Readonly<Record<Exclude<FieldType, object>, Json | undefined>> = {
  string: '',
  bool: false,
  int32: 0,
  int64: 0,
  double: 0,
  intOrString: 0,
  quantity: '0',
  bytes: '',
  time: undefined,
  microTime: undefined,
  strings: undefined,
  json: undefined,
  raw: undefined,
}
