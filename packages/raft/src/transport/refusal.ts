// The answer to a peer that is refused before it has a connection: a code for its program, a sentence for its operator.
import { STATUS_CODES } from 'node:http'
import type { RaftError } from '../errors.ts'

/** Names the code of a refusal in the answer. */
export const refusalHeader = 'balsa-refused'

/** A whole HTTP answer, after which the connection ends. */
export function refusalText(status: number, error: RaftError | undefined): string {
  const body = `${error?.message ?? STATUS_CODES[status] ?? ''}\n`
  const refusal = error === undefined ? '' : `${refusalHeader}: ${error.code}\r\n`
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n`
  return `${head}${refusal}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}
