// The JSON gateway against etcd 3.4's, request by request: status, headers, trailers and body must be the same to the byte, but for ids
// and the raft term.
import { on, once } from 'node:events'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { openBalsaMember } from './balsa-member.ts'
import { startEtcd } from './etcd-process.ts'
import { gatewayCases } from './gateway-cases.ts'
import type { GatewayCase } from './gateway-cases.ts'
import { exchange } from './gateway-exchange.ts'
import type { Exchange } from './gateway-exchange.ts'
import { missing } from './tools.ts'

interface Server extends AsyncDisposable {
  readonly url: string
}

/** The first tells the time, the others depend on how long the ids are. */
const unlike = new Set(['date', 'content-length', 'transfer-encoding'])

/** What may differ between two servers that behave the same. */
function mask({ status, headers, trailers, body }: Exchange): Exchange {
  const kept = Object.entries(headers).filter(([name]) => !unlike.has(name))
  return { status, headers: Object.fromEntries(kept), trailers, body: maskBody(body) }
}

function maskBody(body: string): string {
  return (
    body
      .replaceAll(/"(cluster_id|member_id|raft_term|leader)":"\d+"/g, '"$1":"N"')
      .replaceAll(/"members":\[\{"ID":"\d+"/g, '"members":[{"ID":"N"')
      // etcd takes a deadline for either of two errors, by chance.
      .replace(/"grpc_code":\d+,"http_code":\d+,("message":"context deadline).*/, '$1')
      .replaceAll(/http:\/\/(?:127\.0\.0\.1|localhost):\d+/g, 'URL')
  )
}

/** Sends messages one by one, each after the answer to the one before, and tells what it heard. */
async function talk(
  url: string,
  protocols: readonly string[],
  messages: readonly string[],
): Promise<{ heard: string[]; protocol: string }> {
  const client = new WebSocket(url.replace('http', 'ws'), [...protocols])
  const heard: string[] = []
  const replies = on(client, 'message')
  await once(client, 'open')
  for (let i = 0; i < Math.max(messages.length, 1); i++) {
    const message = messages[i]
    if (message !== undefined) client.send(message)
    const { value } = await replies.next()
    heard.push(maskBody(String(value[0])))
  }
  client.terminate()
  return { heard, protocol: client.protocol }
}

function describeCase({ method = 'POST', path, body, headers }: GatewayCase): string {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return [method, path, text, headers && JSON.stringify(headers)].filter(Boolean).join(' ')
}

describe.skipIf(missing('etcd'))('the JSON gateway', () => {
  let etcd: Server
  let balsa: Server
  beforeAll(async () => {
    ;[etcd, balsa] = await Promise.all([startEtcd(), openBalsaMember()])
  })
  afterAll(async () => {
    await etcd[Symbol.asyncDispose]()
    await balsa[Symbol.asyncDispose]()
  })

  const talks: readonly [string, readonly string[], ...string[]][] = [
    [
      '/v3/watch',
      [],
      '{"create_request":{"key":"YQ=="}}',
      '{"create_request":{"key":"Yg==","watch_id":"4"}}',
      '{"progress_request":{}}',
      '{"cancel_request":{"watch_id":4}}',
    ],
    ['/v3beta/watch', [], '{"create_request":{"key":"YQ==","range_end":"YQ=="}}'],
    ['/v3/lease/keepalive', [], '{"ID":1234}', '{"ID":"4321"}'],
    ['/v3/kv/range', [], '{"key":"bm9uZQ=="}'],
    ['/v3/kv/range', ['Bearer'], '{"key":5}'],
    ['/v3/nothing', []],
  ]
  test.each(talks)(
    'answers a WebSocket on %s %j as etcd does: %s',
    async (path, protocols, ...sent) => {
      const [expected, got] = await Promise.all(
        [etcd, balsa].map((server) => talk(server.url + path, protocols, sent)),
      )
      expect(got).toEqual(expected)
      expect(got?.heard.length).toBe(Math.max(sent.length, 1))
    },
  )

  test('answers every request as etcd does', async () => {
    const differences: unknown[] = []
    for (const each of gatewayCases) {
      const [expected, got] = (
        await Promise.all([exchange(etcd.url, each), exchange(balsa.url, each)])
      ).map(mask)
      if (!isDeepStrictEqual(got, expected)) {
        differences.push({ request: describeCase(each), got, expected })
      }
    }
    expect(differences).toEqual([])
    expect(gatewayCases.length).toBeGreaterThanOrEqual(60)
  })
})
