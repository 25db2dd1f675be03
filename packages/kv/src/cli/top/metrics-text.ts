// Reads a server's metrics: the sums of those that are asked for, whatever their labels.
import { request as requestPlain } from 'node:http'
import { request as requestTls } from 'node:https'
import type { ClientTls } from '../../client/endpoint.ts'

const timeoutMs = 3000
const textSizeBytesMax = 16 * 2 ** 20

/** Rejects if the server does not answer in time, or with something else than metrics. */
export function scrape(endpoint: string, tls: ClientTls | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    const url = new URL('/metrics', endpoint)
    const options = { timeout: timeoutMs, agent: false } as const
    const request =
      url.protocol === 'https:'
        ? requestTls(url, { ...options, ...tls })
        : requestPlain(url, options)
    request.on('timeout', () => request.destroy(new Error('no answer in time')))
    request.on('error', reject)
    request.on('response', (response) => {
      const chunks: Buffer[] = []
      let sizeBytes = 0
      response.on('error', reject)
      response.on('data', (chunk: Buffer) => {
        sizeBytes += chunk.length
        if (sizeBytes > textSizeBytesMax) request.destroy(new Error('too much of an answer'))
        else chunks.push(chunk)
      })
      response.on('end', () => {
        if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString())
        else reject(new Error(`HTTP status ${response.statusCode}`))
      })
    })
    request.end()
  })
}

/** By name; one that is not there is missing. */
export function sumMetrics(text: string, names: ReadonlySet<string>): Map<string, number> {
  const sums = new Map<string, number>()
  for (const line of text.split('\n')) {
    const match = /^(\w+)(?:\{.*\})? (\S+)/.exec(line)
    const [, name = '', number = ''] = match ?? []
    const value = Number(number)
    if (names.has(name) && Number.isFinite(value)) sums.set(name, (sums.get(name) ?? 0) + value)
  }
  return sums
}
