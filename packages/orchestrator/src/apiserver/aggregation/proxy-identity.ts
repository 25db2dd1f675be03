// Who a request is made for, as headers that a server behind this one believes because of the front proxy's certificate.
import type { OutgoingHttpHeaders } from 'node:http'
import type { User } from '../access/user.ts'

export const userHeader = 'X-Remote-User'
export const uidHeader = 'X-Remote-Uid'
export const groupHeader = 'X-Remote-Group'
export const extraHeaderPrefix = 'X-Remote-Extra-'
const prefix = 'x-remote-'

/** What a client sends of these is not to be believed. */
export const isIdentityHeader = (name: string): boolean => name.toLowerCase().startsWith(prefix)

/** Throws Error for a user of whom the server would take another one. */
export const identityHeaders = ({ name, uid, groups, extra }: User): OutgoingHttpHeaders => ({
  [userHeader]: headerValue(name),
  ...(uid === undefined ? {} : { [uidHeader]: headerValue(uid) }),
  [groupHeader]: groups.map(headerValue),
  ...Object.fromEntries(
    Object.entries(extra ?? {}).map(([key, values]) => [
      extraHeaderPrefix + escapedKey(key),
      values.map(headerValue),
    ]),
  ),
})

/** The bytes of UTF-8, which is what servers take them for. Throws Error for what would come out there as something else. */
const headerValue = (text: string): string => {
  const value = Buffer.from(text, 'utf8').toString('latin1')
  if (/^[\t ]|[\t ]$|[^\t -~\u0080-\u00ff]/.test(value)) {
    throw new Error(`${JSON.stringify(text)} cannot be told in a header`)
  }
  return value
}

/** As client-go does it: bytes that a header's name may not have, and `%`, as %XX. */
const escapedKey = (key: string): string => {
  let escaped = ''
  for (const byte of Buffer.from(key, 'utf8')) {
    const character = String.fromCharCode(byte)
    escaped += /[!#$&'*+\-.0-9A-Z^_`a-z|~]/.test(character)
      ? character
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return escaped
}
