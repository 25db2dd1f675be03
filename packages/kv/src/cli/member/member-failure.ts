// Why a member did not start or stopped by itself, in one line that names the flag or file and the cure.
import type { MemberSettings } from './parse-member-flags.ts'

interface Failure extends Error {
  readonly code?: unknown
  readonly file?: unknown
  readonly offset?: unknown
  readonly url?: unknown
  readonly port?: unknown
}

const corruptCure =
  'this member cannot go on with it; a majority of other members goes on without it, a member alone needs a copy of its --data-dir'

export function memberFailureText(
  reason: unknown,
  { listenClientUrls, listenPeerUrls, dataDir }: MemberSettings['options'],
): string {
  if (!(reason instanceof Error)) return String(reason)
  const failure = rootOf(reason)
  if (typeof failure.file === 'string' && failure.code === 'CORRUPT') {
    const where = typeof failure.offset === 'number' ? ` at byte ${failure.offset}` : ''
    return `${failure.file} is corrupt${where} (${firstLine(failure.message)}); ${corruptCure}`
  }
  const urls = [
    ['--listen-client-urls', listenClientUrls],
    ['--listen-peer-urls', listenPeerUrls],
  ] as const
  for (const [flag, list] of urls) {
    const url = list.find((one) => one === failure.url || hasPort(one, failure))
    if (url === undefined) continue
    if (failure.code === 'EADDRINUSE') {
      return `${flag}: cannot listen on ${url}: the port is in use; stop what listens there or choose another port`
    }
    return `${flag}: ${firstLine(failure.message)}`
  }
  if (failure.code === 'LOCKED') {
    return `--data-dir '${dataDir}' is in use by another process; stop it or choose another folder`
  }
  return firstLine(reason.message)
}

/** The error that says most: the innermost one that knows a file or an address. */
function rootOf(reason: Error): Failure {
  let failure: Failure = reason
  for (let error: unknown = reason; error instanceof Error; error = error.cause) {
    if ('file' in error || 'url' in error || 'port' in error) {
      failure = error
      if ('url' in error || 'file' in error) break
    }
  }
  return failure
}

function hasPort(url: string, { code, port }: Failure): boolean {
  return typeof code === 'string' && typeof port === 'number' && url.endsWith(`:${port}`)
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? ''
}
