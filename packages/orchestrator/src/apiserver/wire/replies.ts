// Sends objects, lists and errors in the form the client asked for.
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { createGzip } from 'node:zlib'
import type { ApiError } from '../../client/api-client.ts'
import { yaml } from '../../client/yaml.ts'
import type { ResourceType } from '../../resources/object.ts'
import { statusOf } from '../api-errors.ts'
import type { ListPage } from '../registry/list-reader.ts'
import type { StoredObject } from '../storage/stored-object.ts'
import type { Exchange } from './exchange.ts'
import { encodeList, encodeObject, type View } from './forms.ts'
import { jsonType, negotiate, yamlType } from './media-types.ts'
import { flag, includeObject } from './query-options.ts'

/** Lists up to this size go out in one piece with a length. */
const wholeListBytesMax = 256 * 1024
/** The fastest: lists are large and alike. */
const listCompression = 1

/** Throws ApiError NotAcceptable. */
export const viewFor = (exchange: Exchange, type: ResourceType, now: number): View => ({
  type,
  form: negotiate(exchange.header('accept')),
  includeObject: includeObject(exchange.query),
  now,
})

export const sendObject = (
  exchange: Exchange,
  status: number,
  view: View,
  stored: StoredObject,
): void => {
  sendEncoded(exchange, status, isYaml(view), encodeObject(view, stored))
}

export const sendList = async (exchange: Exchange, view: View, page: ListPage): Promise<void> => {
  if (isYaml(view) || isPretty(exchange)) {
    sendEncoded(exchange, 200, isYaml(view), Buffer.concat([...encodeList(view, page)]))
    return
  }
  const parts = encodeList(view, page)
  const first: Uint8Array[] = []
  let size = 0
  for (const part of parts) {
    first.push(part)
    size += part.length
    if (size > wholeListBytesMax) {
      await sendLarge(exchange, concatenated(first, parts))
      return
    }
  }
  exchange.send(200, jsonType, Buffer.concat(first))
}

/** Compressed where the client takes it and is far enough away for that to pay. */
const sendLarge = async (exchange: Exchange, parts: Iterable<Uint8Array>): Promise<void> => {
  const takesGzip = /\bgzip\b/.test(exchange.header('accept-encoding'))
  if (!takesGzip || exchange.isLocal) {
    await exchange.sendParts(200, jsonType, parts)
    return
  }
  const compressed = Readable.from(parts).pipe(createGzip({ level: listCompression }))
  await exchange.sendParts(200, jsonType, compressed, {
    'content-encoding': 'gzip',
    vary: 'Accept-Encoding, Accept',
  })
}

/** A value that is no stored object: Status, Scale, discovery. */
export const sendValue = (
  exchange: Exchange,
  status: number,
  value: object,
  contentType: string = jsonType,
): void => {
  if (contentType === jsonType) {
    sendEncoded(exchange, status, wantsYaml(exchange), Buffer.from(JSON.stringify(value)))
  } else exchange.send(status, contentType, JSON.stringify(value))
}

/** A document that clients keep: they are told where they have it already. */
export const sendTagged = (exchange: Exchange, contentType: string, value: object): void => {
  const text = JSON.stringify(value)
  const etag = `"${createHash('sha256').update(text).digest('hex').toUpperCase()}"`
  const headers = { etag, vary: 'Accept' }
  const known = exchange.header('if-none-match').split(/\s*,\s*/)
  if (known.includes(etag)) exchange.send(304, contentType, '', headers)
  else exchange.send(200, contentType, text, headers)
}

export const sendError = (exchange: Exchange, error: ApiError): void => {
  if (exchange.isStarted) {
    exchange.destroy()
    return
  }
  const body = Buffer.from(JSON.stringify(statusOf(error)))
  if (error.code === 429) exchange.send(error.code, jsonType, body, { 'retry-after': '1' })
  else sendEncoded(exchange, error.code, false, body)
}

function* concatenated(
  first: readonly Uint8Array[],
  rest: Iterable<Uint8Array>,
): Generator<Uint8Array> {
  yield* first
  yield* rest
}

const sendEncoded = (
  exchange: Exchange,
  status: number,
  asYaml: boolean,
  json: Uint8Array,
): void => {
  if (asYaml) {
    const value: unknown = JSON.parse(Buffer.from(json).toString('utf8'))
    exchange.send(status, yamlType, yaml().stringify(value))
  } else if (isPretty(exchange)) {
    const value: unknown = JSON.parse(Buffer.from(json).toString('utf8'))
    exchange.send(status, jsonType, `${JSON.stringify(value, undefined, 2)}\n`)
  } else exchange.send(status, jsonType, json)
}

const isYaml = ({ form }: View): boolean => form.as === 'object' && form.encoding === 'yaml'

const wantsYaml = (exchange: Exchange): boolean => {
  const form = negotiate(exchange.header('accept'))
  return form.as === 'object' && form.encoding === 'yaml'
}

/** For people at a terminal or a browser, as upstream does. */
const isPretty = (exchange: Exchange): boolean => {
  if (exchange.query.has('pretty')) return flag(exchange.query, 'pretty')
  return /^(?:curl|Wget|Mozilla)\//.test(exchange.header('user-agent'))
}
