// One HTTP try of a probe. Redirects within the same host are followed, as Go's client does it; errors are told in its words.
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { ProbeResult } from './probe-action.ts'

const bodyCharactersMax = 256
const redirectsMax = 10

/** Any answer from 200 to 399 is a success. */
export async function tryHttp(
  url: URL,
  headers: Readonly<Record<string, string>>,
  timeoutMs: number,
  shown: string = url.href,
): Promise<ProbeResult> {
  const signal = AbortSignal.timeout(timeoutMs)
  let current = url
  for (let redirects = 0; redirects < redirectsMax; redirects++) {
    let answer: Answer
    try {
      answer = await get(current, headers, signal)
    } catch (reason) {
      const why = isNamed(reason, 'TimeoutError')
        ? 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
        : dialText(reason, current)
      return { outcome: 'failure', message: `Get "${shown}": ${why}` }
    }
    const { code, location, body } = answer
    const next = code >= 300 && code < 400 ? redirected(current, location) : undefined
    if (next === undefined) {
      return code >= 200 && code < 400
        ? { outcome: 'success', message: body }
        : { outcome: 'failure', message: `HTTP probe failed with statuscode: ${code}` }
    }
    current = next
  }
  const message = `Get "${current.href}": stopped after ${redirectsMax} redirects`
  return { outcome: 'failure', message }
}

/** As Go tells of a connection that failed. */
export function dialText(reason: unknown, { hostname, port, protocol }: URL): string {
  const code = reason instanceof Error && 'code' in reason ? reason.code : undefined
  const address = `${hostname}:${port === '' ? (protocol === 'https:' ? '443' : '80') : port}`
  if (code === 'ECONNREFUSED') return `dial tcp ${address}: connect: connection refused`
  if (code === 'EHOSTUNREACH') return `dial tcp ${address}: connect: no route to host`
  if (code === 'ENOTFOUND') return `dial tcp: lookup ${hostname}: no such host`
  if (code === 'ECONNRESET') return 'EOF'
  return reason instanceof Error ? reason.message : String(reason)
}

interface Answer {
  readonly code: number
  readonly location: string | undefined
  readonly body: string
}

function get(
  url: URL,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Answer> {
  const options = { headers, agent: false as const, signal }
  return new Promise((resolve, reject) => {
    const request =
      url.protocol === 'https:'
        ? httpsRequest(url, { ...options, rejectUnauthorized: false })
        : httpRequest(url, options)
    request.on('error', (error) => reject(signal.aborted ? signal.reason : error))
    request.on('response', (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => {
        body = (body + text).slice(0, bodyCharactersMax)
      })
      response.on('error', (error) => reject(signal.aborted ? signal.reason : error))
      response.on('end', () => {
        const { statusCode = 0, headers: answered } = response
        resolve({ code: statusCode, location: answered.location, body })
      })
    })
    request.end()
  })
}

/** Undefined: the answer counts as it is. */
function redirected(from: URL, location: string | undefined): URL | undefined {
  if (location === undefined || !URL.canParse(location, from.href)) return undefined
  const to = new URL(location, from)
  const isWeb = to.protocol === 'http:' || to.protocol === 'https:'
  return isWeb && to.hostname === from.hostname ? to : undefined
}

const isNamed = (reason: unknown, name: string): boolean =>
  reason instanceof Error && reason.name === name
