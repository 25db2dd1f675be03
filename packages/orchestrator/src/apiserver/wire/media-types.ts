// Content negotiation: in which form a client wants objects. A client that asks for protobuf and JSON gets JSON.
import { notAcceptable } from '../api-errors.ts'

export type Form =
  | { readonly as: 'object'; readonly encoding: 'json' | 'yaml' }
  | { readonly as: 'table'; readonly version: 'v1' | 'v1beta1' }
  | { readonly as: 'partial'; readonly version: 'v1' | 'v1beta1' }

export const jsonType = 'application/json'
export const yamlType = 'application/yaml'
export const protobufType = 'application/vnd.kubernetes.protobuf'
const objectJson: Form = { as: 'object', encoding: 'json' }

interface MediaRange {
  readonly type: string
  readonly parameters: ReadonlyMap<string, string>
}

const rangesMax = 32

export const parseAccept = (accept: string): MediaRange[] =>
  accept
    .split(',', rangesMax)
    .map((range) => {
      const [type = '', ...parameters] = range.split(';').map((part) => part.trim())
      return {
        type: type.toLowerCase(),
        parameters: new Map(
          parameters.map((parameter) => {
            const [name = '', value = ''] = parameter.split('=')
            return [name.toLowerCase(), value]
          }),
        ),
      }
    })
    .filter((range) => range.type !== '')

const knownMax = 200
const knownLengthMax = 500
/** What headers asked for before: clients send the same few. */
const known = new Map<string, Form>()

/** The first form of the Accept header that is served. Throws ApiError NotAcceptable when there is none. */
export const negotiate = (accept: string): Form => {
  let form = known.get(accept)
  if (form === undefined) {
    form = readAccept(accept)
    if (known.size >= knownMax) known.clear()
    if (accept.length <= knownLengthMax) known.set(accept, form)
  }
  return form
}

const readAccept = (accept: string): Form => {
  const ranges = parseAccept(accept)
  if (ranges.length === 0) return objectJson
  for (const range of ranges) {
    const form = formOf(range)
    if (form !== undefined) return form
  }
  throw notAcceptable([jsonType, yamlType, protobufType])
}

const formOf = ({ type, parameters }: MediaRange): Form | undefined => {
  const isJson = [jsonType, '*/*', 'application/*', protobufType].includes(type)
  const as = parameters.get('as')
  if (as !== undefined) {
    const version = parameters.get('v')
    if (!isJson || parameters.get('g') !== 'meta.k8s.io') return undefined
    if (version !== 'v1' && version !== 'v1beta1') return undefined
    if (as === 'Table') return { as: 'table', version }
    return as.startsWith('PartialObjectMetadata') ? { as: 'partial', version } : undefined
  }
  // Protobuf alone is answered with JSON too: upstream's clients decode by the content type of the answer.
  if (isJson) return objectJson
  return type === yamlType || type === 'application/x-yaml'
    ? { as: 'object', encoding: 'yaml' }
    : undefined
}

/** The media type of a Content-Type header; JSON where there is none. */
export const contentTypeOf = (header: string): string => {
  const type = (header.split(';', 1)[0] ?? '').trim().toLowerCase()
  return type === '' ? jsonType : type
}
