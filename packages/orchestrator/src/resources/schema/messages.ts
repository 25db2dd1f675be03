// The table of api-fields.ts as linked messages.
import { apiFields } from './api-fields.ts'

export type ScalarType =
  | 'string'
  | 'bool'
  | 'int32'
  | 'int64'
  | 'intOrString'
  | 'quantity'
  | 'bytes'
  | 'time'
  | 'microTime'
  | 'json'
export type FieldType = ScalarType | { readonly name: string; message(): Message }

export interface Field {
  readonly name: string
  readonly shape: 'one' | 'list' | 'map'
  readonly type: FieldType
  /** Go always writes it: absent means its zero value. */
  readonly always: boolean
}
export interface Message {
  readonly name: string
  readonly fields: readonly Field[]
  readonly byName: ReadonlyMap<string, Field>
  /** Those that are always there. */
  readonly always: readonly Field[]
}

/** The message of a kind, or of a part of one. */
export const findMessage = (name: string): Message | undefined => messages.get(name)

/** The type as Go's messages name it. */
export const goTypeName = (type: FieldType): string =>
  typeof type === 'string' ? goScalarNames[type] : `v1.${type.name}`

const goScalarNames: Readonly<Record<ScalarType, string>> = {
  string: 'string',
  bool: 'bool',
  int32: 'int32',
  int64: 'int64',
  intOrString: 'intstr.IntOrString',
  quantity: 'resource.Quantity',
  bytes: '[]uint8',
  time: 'v1.Time',
  microTime: 'v1.MicroTime',
  json: 'v1.FieldsV1',
}

const isScalar = (name: string): name is ScalarType => Object.hasOwn(goScalarNames, name)

const parseField = (text: string): Field => {
  const [, name = '', always, prefix, type = ''] = /^(\w+)(!?):(\[\]|\{\})?(\w+)$/.exec(text) ?? []
  return {
    name,
    always: always === '!',
    shape: prefix === '[]' ? 'list' : prefix === '{}' ? 'map' : 'one',
    type: isScalar(type) ? type : { name: type, message: () => messageOf(type) },
  }
}

const parseMessages = (table: string): Map<string, Message> =>
  new Map(
    table
      .trim()
      .split(/\n(?! )/)
      .map((paragraph) => {
        const [name = '', ...texts] = paragraph.split(/\s+/)
        return [name, createMessage(name, texts.map(parseField))]
      }),
  )

const createMessage = (name: string, fields: readonly Field[]): Message => ({
  name,
  fields,
  byName: new Map(fields.map((field) => [field.name, field])),
  always: fields.filter((field) => field.always),
})

const noFields: Message = createMessage('', [])
/** decode-object.test.ts checks that every name the table uses is in it. */
const messageOf = (name: string): Message => messages.get(name) ?? noFields

const messages: ReadonlyMap<string, Message> = parseMessages(apiFields)
