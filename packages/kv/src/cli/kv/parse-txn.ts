// A txn as etcdctl takes it: lines of comparisons, of what to do if all hold, and of what to do otherwise, each part ended by an empty line.
import { Command } from 'commander'
import type { Bytes, Condition, Operation, Txn } from '../../kv.ts'
import {
  addDeleteFlags,
  addGetFlags,
  addPutFlags,
  deleteOptionsOf,
  putOptionsOf,
  rangeOptionsOf,
  type DeleteFlags,
  type GetFlags,
  type PutFlags,
} from './key-flags.ts'
import { leaseId } from './kv-options.ts'

const targets: Readonly<Record<string, Condition['target']>> = {
  ver: 'version',
  version: 'version',
  c: 'create',
  create: 'create',
  m: 'mod',
  mod: 'mod',
  val: 'value',
  value: 'value',
  lease: 'lease',
}
const quotedText = /"(?:[^"\\]|\\.)*"/.source
const comparison = new RegExp(
  `^\\s*(\\w+)\\((${quotedText})\\)\\s*(=|!=|<|>)\\s*(${quotedText})\\s*$`,
)
const word = new RegExp(`${quotedText}|'[^']*'|[^'"\\s]\\S*`, 'g')

/** The parts of a txn, in the order in which they are read. */
export const txnParts = ['if', 'then', 'else'] as const
export type TxnPart = (typeof txnParts)[number]

/** Takes line after line; `partEnded` is called at the empty line after each part. */
export class TxnReader {
  readonly #conditions: Condition[] = []
  readonly #operations: { then: Operation[]; else: Operation[] } = { then: [], else: [] }
  #partAt = 0

  /** The part that the next line belongs to; undefined: all of them are there. */
  get part(): TxnPart | undefined {
    return txnParts[this.#partAt]
  }

  get txn(): Txn {
    return { if: this.#conditions, ...this.#operations }
  }

  /** Throws an Error that says what is wrong with the line. */
  add(line: string): void {
    const { part } = this
    if (line.trim() === '') this.#partAt++
    else if (part === 'if') this.#conditions.push(parseCondition(line))
    else if (part !== undefined) this.#operations[part].push(parseOperation(line))
  }
}

/** `mod("key") > "0"` */
export function parseCondition(line: string): Condition {
  const [, name = '', quotedKey = '', is = '', quotedThan = ''] = comparison.exec(line) ?? []
  if (name === '') throw new Error(`malformed comparison: ${line}`)
  const target = targets[name]
  if (target === undefined) {
    throw new Error(`malformed comparison: ${line} (unknown target ${name})`)
  }
  const relation = { key: unquoted(quotedKey), is: is as Condition['is'] }
  const than = unquoted(quotedThan)
  if (target === 'value') return { ...relation, target, than }
  const text = Buffer.from(than).toString()
  if (target === 'lease') return { ...relation, target, than: leaseId(text) }
  if (!/^\d{1,15}$/.test(text)) throw new Error(`invalid txn compare request: ${line}`)
  return { ...relation, target, than: Number(text) }
}

/** `put key value`, with the flags of the command. Bytes that are no text are for comparisons only. */
export function parseOperation(line: string): Operation {
  const [name, ...argv] = (line.match(word) ?? []).map(plainWord)
  // etcdctl's words.
  if (argv.length === 0) throw new Error(`invalid txn compare request: ${line}`)
  let operation: Operation | undefined
  const parser = new Command()
    .exitOverride()
    .configureOutput({ writeOut: () => undefined, outputError: () => undefined })
  addGetFlags(parser.command('get')).action(
    (key: string, end: string | undefined, own: GetFlags) => {
      operation = { op: 'range', ...rangeOptionsOf(key, end, own) }
    },
  )
  addPutFlags(parser.command('put')).action((key: string, value = '', own: PutFlags) => {
    operation = { op: 'put', key, value, ...putOptionsOf(own) }
  })
  addDeleteFlags(parser.command('del')).action(
    (key: string, end: string | undefined, own: DeleteFlags) => {
      operation = { op: 'delete', ...deleteOptionsOf(key, end, own) }
    },
  )
  try {
    parser.parse([name ?? '', ...argv], { from: 'user' })
  } catch (cause) {
    throw new Error(`invalid txn request: ${line}`, { cause })
  }
  if (operation === undefined) throw new Error(`invalid txn request: ${line}`)
  return operation
}

function plainWord(text: string): string {
  if (text.startsWith('"')) return Buffer.from(unquoted(text)).toString()
  return text.startsWith("'") ? text.slice(1, -1) : text
}

const escapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

/** Go's escapes: those of C, bytes in hexadecimal, and characters by their number. */
function unquoted(quoted: string): Bytes {
  const parts = quoted.slice(1, -1).matchAll(/\\x([0-9a-f]{2})|\\u([0-9a-f]{4})|\\(.)|[^\\]+/gis)
  const bytes = [...parts].map(([text, byte, character, escaped]) => {
    if (byte !== undefined) return Buffer.from(byte, 'hex')
    if (character !== undefined) {
      return Buffer.from(String.fromCodePoint(Number.parseInt(character, 16)))
    }
    return Buffer.from(escaped === undefined ? text : (escapes[escaped] ?? escaped))
  })
  return Buffer.concat(bytes)
}
