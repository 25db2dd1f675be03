// The smallest useful OpenAPI v2 document, in gnostic's protobuf: which kinds can be patched, and that they take `dryRun`. kubectl up to 1.28
// asks for it before it writes, and kubectl 1.20 refuses --dry-run=server and diff for kinds it does not find here. It holds no schemas.
import type { ResourceType } from '../../resources/object.ts'
import { groupVersion } from '../registry/decode.ts'

const lengthDelimited = 2
const queryParameters = ['dryRun', 'fieldManager', 'fieldValidation', 'force']

/** The bytes of the document; numbers are those of gnostic's openapiv2 messages. */
export const openApiV2 = (types: readonly ResourceType[]): Buffer => {
  const paths = types.map((type) => field(2, message(field(1, pathOf(type)), field(2, item(type)))))
  return message(field(1, '2.0'), field(8, message(...paths)))
}

const pathOf = (type: ResourceType): string => {
  const root = type.group === '' ? 'api' : 'apis'
  const place = type.namespaced ? 'namespaces/{namespace}/' : ''
  return `/${root}/${groupVersion(type)}/${place}${type.plural}/{name}`
}

/** A PathItem with its PATCH operation alone. */
const item = ({ group, version, kind }: ResourceType): Buffer => {
  const yaml = JSON.stringify({ group, kind, version })
  const extension = message(field(1, 'x-kubernetes-group-version-kind'), field(2, field(2, yaml)))
  const parameters = queryParameters.map((name) => field(8, field(1, field(2, query(name)))))
  return field(8, message(...parameters, field(13, extension)))
}
const query = (name: string): Buffer =>
  field(3, message(field(2, 'query'), field(4, name), field(6, 'string')))

/** One field of protobuf's wire format with a text or a message as its value. */
const field = (number: number, value: string | Buffer): Buffer => {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value
  return message(varint((number << 3) | lengthDelimited), varint(bytes.length), bytes)
}
const message = (...fields: readonly Buffer[]): Buffer => Buffer.concat(fields)

const varint = (value: number): Buffer => {
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  return Buffer.from([...bytes, rest])
}
