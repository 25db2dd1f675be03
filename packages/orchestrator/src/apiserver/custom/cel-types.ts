// The types of CEL that schemas give, for expressions that are checked before they run: of custom kinds and of built-in ones. What a schema
// leaves open is of any type.
import type { Environment } from '@marcbachmann/cel-js'
import type { JsonSchema } from '../../resources/custom/json-schema.ts'
import type { Json } from '../../resources/object.ts'
import { type Field, type Message, type ScalarType } from '../../resources/schema/messages.ts'
import { celName } from './cel-values.ts'

const any = 'dyn'
const scalars: Readonly<Record<ScalarType, string>> = {
  string: 'string',
  bool: 'bool',
  int32: 'int',
  int64: 'int',
  double: 'double',
  bytes: 'bytes',
  time: 'google.protobuf.Timestamp',
  microTime: 'google.protobuf.Timestamp',
  strings: 'list<string>',
  quantity: 'string',
  intOrString: any,
  json: any,
  raw: any,
}

const identifier = /^[_a-zA-Z]\w*$/

/** Types of environments that are made of others must not meet. */
let count = 0

/** Adds the types of one environment: each by a name of its own. */
export class CelTypes {
  readonly #environment: Environment
  readonly #messages = new Map<Message, string>()

  constructor(environment: Environment) {
    this.#environment = environment
  }

  /** The type of an object of a built-in kind, or of a part of one. */
  ofMessage(message: Message, head: Readonly<Record<string, string>> = {}): string {
    const known = this.#messages.get(message)
    if (known !== undefined) return known
    // A message within itself is of any type.
    this.#messages.set(message, any)
    const fields: [string, string][] = message.fields.map((field) => [
      field.name,
      this.#ofField(field),
    ])
    const name = this.#add(message.name, [...fields, ...Object.entries(head)])
    this.#messages.set(message, name)
    return name
  }

  /** `head`: the members that every object of a custom kind has, where the schema is of a whole one. */
  ofSchema(schema: JsonSchema, head: Readonly<Record<string, string>> = {}): string {
    if (isOpen(schema)) return any
    const { properties, additionalProperties, items } = schema
    switch (schema.type ?? '') {
      case 'integer':
        return 'int'
      case 'number':
        return 'double'
      case 'boolean':
        return 'bool'
      case 'string':
        return schema.format === undefined || textFormats.has(schema.format) ? 'string' : any
      case 'array':
        return items === undefined ? 'list' : `list<${this.ofSchema(items)}>`
      case 'object': {
        if (typeof additionalProperties === 'object') {
          return `map<string, ${this.ofSchema(additionalProperties)}>`
        }
        if (properties === undefined && Object.keys(head).length === 0) return any
        const members = Object.entries(properties ?? {})
          .filter(([name]) => !Object.hasOwn(head, name))
          .map(([name, member]): [string, string] => [name, this.ofSchema(member)])
        return this.#add('Object', [...members, ...Object.entries(head)])
      }
      default:
        return any
    }
  }

  /** A type with these members. */
  ofMembers(members: Readonly<Record<string, string>>): string {
    return this.#add('Object', Object.entries(members))
  }

  #ofField({ shape, type }: Field): string {
    const one = typeof type === 'string' ? scalars[type] : this.ofMessage(type.message())
    if (shape === 'one') return one
    return shape === 'list' ? `list<${one}>` : `map<string, ${one}>`
  }

  #add(name: string, members: readonly (readonly [string, string])[]): string {
    const fields = Object.fromEntries(
      members
        .map(([member, type]) => [celName(member), type])
        .filter(([member = '']) => identifier.test(member)),
    )
    const unique = `${name}_${++count}`
    // Nothing is evaluated with these types.
    this.#environment.registerType(unique, { fields, convert: (value: Json) => value })
    return unique
  }
}

/** Others are values of other types, or of several. */
const textFormats = new Set(['', 'uuid', 'hostname', 'ipv4', 'ipv6', 'uri', 'email', 'password'])

const isOpen = (schema: JsonSchema): boolean => {
  const marks = schema as { readonly [key: string]: Json | undefined }
  return [
    'x-kubernetes-int-or-string',
    'x-kubernetes-preserve-unknown-fields',
    'x-kubernetes-embedded-resource',
  ].some((mark) => marks[mark] === true)
}
