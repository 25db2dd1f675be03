// What a client is told of a server that takes a request and never answers, or never ends its answer.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ApiService } from '../../resources/aggregation/api-service.ts'
import type { KubeObject } from '../../resources/object.ts'
import { openCertificates } from '../pki/certificates.ts'
import type { Registry } from '../registry/registry.ts'
import { ServiceEndpoints } from '../webhooks/remote-endpoint.ts'
import { Exchange } from '../wire/exchange.ts'
import type { HttpCall } from '../wire/http-call.ts'
import { proxyToApi } from './api-proxy.ts'
import { RemoteApi } from './remote-api.ts'
import { sampleGroup, type SampleServer, startSampleServer } from './testing/sample-server.ts'

const timeoutMs = 100
let dataDir: string
let sample: SampleServer
let remote: RemoteApi
beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'balsa-proxy-'))
  const certificates = await openCertificates(dataDir, '127.0.0.1')
  const { ca } = await certificates.frontProxy()
  sample = await startSampleServer('sample.default.svc', ca.certificate)
  const objects: Readonly<Record<string, object>> = {
    services: { spec: { ports: [{ port: 443 }] } },
    endpoints: { subsets: [{ addresses: [{ ip: '127.0.0.1' }], ports: [{ port: sample.port }] }] },
  }
  const core = (plural: string): Registry =>
    ({ cache: { get: () => ({ object: objects[plural] as KubeObject }) } }) as unknown as Registry
  const service = {
    metadata: { name: `v1.${sampleGroup}` },
    spec: {
      group: sampleGroup,
      version: 'v1',
      service: { namespace: 'default', name: 'sample' },
      caBundle: sample.caBundle,
    },
    status: { conditions: [{ type: 'Available', status: 'True' }] },
  } as unknown as ApiService
  const endpoints = new ServiceEndpoints(core, () => undefined)
  remote = new RemoteApi(service, endpoints, () => certificates.frontProxy())
})
afterAll(async () => {
  remote.close()
  await sample.close()
  rmSync(dataDir, { recursive: true, force: true })
})

/** A GET of the path, and what becomes of its answer. */
const call = async (path: string): Promise<{ exchange: Exchange; events: string[] }> => {
  const events: string[] = []
  const made: HttpCall = {
    method: 'GET',
    url: `/apis/${sampleGroup}/v1/namespaces/default/flavors${path}`,
    headers: {},
    remoteAddress: '127.0.0.1',
    status: 200,
    get isStarted() {
      return events.length > 0
    },
    onClose: () => undefined,
    onDrain: () => undefined,
    receive: () => Promise.resolve(Buffer.alloc(0)),
    dropBody: () => undefined,
    respond: (status) => events.push(`respond ${status}`),
    start: (status) => events.push(`start ${status}`),
    write: () => true,
    end: () => events.push('end'),
    destroy: () => events.push('destroy'),
  }
  const exchange = new Exchange(made)
  await exchange.receiveBody()
  return { exchange, events }
}

test('a request that is not answered in time is 504', async () => {
  sample.intercept = () => true
  const { exchange } = await call('')
  await expect(proxyToApi(exchange, remote, timeoutMs)).rejects.toMatchObject({
    code: 504,
    reason: 'Timeout',
    message: 'Timeout: request did not complete within the allotted timeout',
  })
})

test('an answer that does not end is broken off, a watch is not', async () => {
  sample.intercept = (_request, response) => {
    response.write('{"items":[')
    return true
  }
  const list = await call('')
  await proxyToApi(list.exchange, remote, timeoutMs)
  expect(list.events).toContain('start 200')
  expect(list.events).toContain('destroy')
  expect(list.events).not.toContain('end')
  sample.intercept = (_request, response) => {
    response.write('{}\n')
    setTimeout(() => response.end(), timeoutMs * 3)
    return true
  }
  const watch = await call('?watch=true')
  await proxyToApi(watch.exchange, remote, timeoutMs)
  expect(watch.events).toEqual(['start 200', 'end'])
})

test('a document that is answered in another protocol is none', async () => {
  sample.intercept = (request) => {
    const head = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x'
    request.socket.write(`${head}\r\n\r\n`)
    return true
  }
  const asked = { path: '/apis', accept: '*/*', timeoutMs: 5000, bytesMax: 1000 }
  await expect(remote.backend.document(asked)).rejects.toThrow('closed without an answer')
})

test.each(['admin\u0001', 'admin\n', ' admin', 'admin\u007f', 'admin '])(
  'a user %j is not told to another server as somebody else',
  async (name) => {
    sample.intercept = () => false
    const { exchange, events } = await call('')
    exchange.user = { name, groups: [] }
    const before = sample.requests.length
    await proxyToApi(exchange, remote, timeoutMs)
    expect(events).toEqual(['respond 503'])
    expect(sample.requests.length).toBe(before)
  },
)
