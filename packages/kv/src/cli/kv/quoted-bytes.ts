// Go's %q of bytes: UTF-8 that can be printed as it is, everything else escaped. etcdctl writes keys and values so.
import { isUtf8 } from 'node:buffer'

const named: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
}
/** Letters, marks, numbers, punctuation, symbols, and of the spaces the plain one. */
const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u

export function quotedBytes(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length;) {
    const size = characterSize(bytes, at)
    text += size === 0 ? hex(bytes[at] ?? 0) : escaped(textOf(bytes, at, size))
    at += Math.max(size, 1)
  }
  return `"${text}"`
}

/** 0: what begins there is no UTF-8. */
function characterSize(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0
  const size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
  return isUtf8(bytes.subarray(at, at + size)) ? size : 0
}

function textOf(bytes: Uint8Array, at: number, size: number): string {
  return Buffer.from(bytes.subarray(at, at + size)).toString()
}

function escaped(character: string): string {
  const name = named[character]
  if (name !== undefined) return name
  if (printable.test(character)) return character
  const code = character.codePointAt(0) ?? 0
  if (code < 0x80) return hex(code)
  const isLong = code > 0xffff
  return `\\${isLong ? 'U' : 'u'}${code.toString(16).padStart(isLong ? 8 : 4, '0')}`
}

function hex(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`
}
