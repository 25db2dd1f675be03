// The opaque token that leads to the next page of a list: upstream's format, base64url of JSON.
import { badRequest } from '../api-errors.ts'

export interface ContinueToken {
  /** The revision all pages show; -1: whatever is newest. */
  readonly revision: number
  /** Where the page starts, below the listed prefix. */
  readonly start: string
}

const tokenBytesMax = 2048

export const encodeContinue = ({ revision, start }: ContinueToken): string =>
  Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start })).toString('base64url')

/** Throws ApiError BadRequest. */
export const parseContinue = (text: string): ContinueToken => {
  const bad = (why: string): Error => badRequest(`continue key is not valid: ${why}`)
  if (text.length > tokenBytesMax) throw bad('too long')
  let parsed: unknown
  try {
    parsed = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
  } catch {
    throw bad('illegal base64 data or JSON')
  }
  if (typeof parsed !== 'object' || parsed === null || !('v' in parsed)) throw bad('no version')
  if (parsed.v !== 'meta.k8s.io/v1') throw bad('server does not recognize this encoded version')
  const revision = 'rv' in parsed ? parsed.rv : undefined
  const start = 'start' in parsed ? parsed.start : undefined
  if (typeof revision !== 'number' || !Number.isSafeInteger(revision) || revision === 0) {
    throw bad('incorrect encoded start resourceVersion')
  }
  if (typeof start !== 'string' || start === '' || start.split('/').includes('..')) {
    throw bad('encoded start key empty or not in the list')
  }
  return { revision, start }
}
