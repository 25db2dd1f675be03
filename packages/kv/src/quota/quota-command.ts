// How a change of the rules goes into the log: one byte that says which, then the protobuf bytes of its request.
import { KvError } from '../errors.ts'
import { decodeQuotaRemoveRequest, decodeQuotaSetRequest } from '../proto/index.ts'
import type { QuotaBook } from './quota-book.ts'

/** Numbers are on disk and on the wire. */
export const quotaChange = { set: 1, remove: 2 } as const

export function encodeQuotaCommand(change: keyof typeof quotaChange, body: Uint8Array): Uint8Array {
  const command = new Uint8Array(1 + body.length)
  command[0] = quotaChange[change]
  command.set(body, 1)
  return command
}

/** Throws MALFORMED, or what the book says. */
export function applyQuotaCommand(book: QuotaBook, command: Uint8Array, nowMs: number): void {
  const body = command.subarray(1)
  if (command[0] === quotaChange.remove) book.remove(decodeQuotaRemoveRequest(body))
  else {
    const rule = command[0] === quotaChange.set ? decodeQuotaSetRequest(body) : undefined
    if (rule === undefined) throw new KvError('MALFORMED')
    book.set(rule, nowMs)
  }
}
