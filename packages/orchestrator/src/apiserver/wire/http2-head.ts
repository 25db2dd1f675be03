// The header blocks of answers over HTTP/2: literals without a table, so that what answers have in common is made once.
import { encodeHeaderBlock } from '@balsa/kv/http2'
import type { SentHeaders } from './http-call.ts'

/** Headers with few different values. */
const constantNames = new Set([
  'cache-control',
  'content-type',
  'content-encoding',
  'vary',
  'retry-after',
])
/** Content types of proxied answers may be many. */
const constantsMax = 256
const constants = new Map<string, string>()

const encode = (name: string, value: string): string =>
  Buffer.from(encodeHeaderBlock([[name, value]])).toString('latin1')

const constant = (name: string, value: string): string => {
  const key = `${name}\n${value}`
  let encoded = constants.get(key)
  if (encoded === undefined) {
    encoded = encode(name, value)
    if (constants.size < constantsMax) constants.set(key, encoded)
  }
  return encoded
}

/** A literal that is not indexed, with a name and a value shorter than a length of one byte can tell. */
const shortBytesMax = 126
const literal = (name: string, value: string): string =>
  name.length > shortBytesMax || value.length > shortBytesMax
    ? encode(name, value)
    : `\0${String.fromCharCode(name.length)}${name}${String.fromCharCode(value.length)}${value}`

let dateSecond = 0
let dateField = ''
/** As Node adds it to answers over HTTP/1.1. */
const date = (): string => {
  const second = Math.floor(Date.now() / 1000)
  if (second !== dateSecond) {
    dateSecond = second
    dateField = literal('date', new Date(second * 1000).toUTCString())
  }
  return dateField
}

/** The block of an answer; status 1xx: of what comes before it. */
export const encodeHead = (status: number, headers: SentHeaders): Buffer => {
  let text = constant(':status', String(status))
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    if (value === undefined) continue
    if (typeof value === 'object') for (const one of value) text += literal(name, one)
    else if (constantNames.has(name)) text += constant(name, String(value))
    else text += literal(name, String(value))
  }
  if (status >= 200 && !('date' in headers)) text += date()
  return Buffer.from(text, 'latin1')
}
