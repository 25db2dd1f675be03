// One HTTP request and everything that comes back, as raw as Node gives it.
import { request } from 'node:http'
import type { GatewayCase } from './gateway-cases.ts'

export interface Exchange {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly trailers: Readonly<Record<string, string>>
  readonly body: string
}

/** Resolves at the end of the answer. */
export function exchange(url: string, each: GatewayCase): Promise<Exchange> {
  const { method = 'POST', path, body } = each
  const text =
    body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url)
    const sent = request(
      { hostname, port, path, method, headers: each.headers ?? {} },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          resolve({
            status: response.statusCode ?? 0,
            headers: textsOf(response.headers),
            trailers: textsOf(response.trailers),
            body: Buffer.concat(chunks).toString(),
          })
        })
      },
    )
    sent.on('error', reject)
    sent.end(text)
  })
}

function textsOf(headers: NodeJS.Dict<string | string[]>): Record<string, string> {
  const texts: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) texts[name] = String(value)
  return texts
}
