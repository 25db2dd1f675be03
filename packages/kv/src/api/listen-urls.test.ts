import { linkSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as grpc from '@grpc/grpc-js'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import {
  listenClients,
  type ClientListener,
  type ClientListenerOptions,
} from './client-listener.ts'
import { FakeMember } from './testing/fake-member.ts'

let folder: string
let listener: ClientListener | undefined
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'balsa-listen-'))
})
afterEach(() => listener?.close())
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const anyPort = 'http://127.0.0.1:0'

async function open(options: Partial<ClientListenerOptions>): Promise<ClientListener> {
  listener = await listenClients({ member: new FakeMember(), urls: [anyPort], ...options })
  return listener
}

function status(target: string): Promise<unknown> {
  const client = new grpc.Client(target, grpc.credentials.createInsecure())
  const same = (bytes: Buffer): Buffer => bytes
  return new Promise((resolve, reject) => {
    const path = '/etcdserverpb.Maintenance/Status'
    client.makeUnaryRequest(path, same, same, Buffer.alloc(0), (error, reply) => {
      client.close()
      if (error === null) resolve(reply)
      else reject(error)
    })
  })
}

interface Asked {
  readonly status: number | undefined
  readonly body: string
}

function ask(
  target: { readonly url?: string; readonly socketPath?: string },
  path: string,
  options: { readonly method?: string } = {},
): Promise<Asked> {
  const { port } = new URL(target.url ?? 'http://x')
  const where =
    target.socketPath === undefined
      ? { host: '127.0.0.1', port }
      : { socketPath: target.socketPath }
  return new Promise((resolve, reject) => {
    const asked = request({ ...where, path, agent: false, ...options }, (response) => {
      response.setEncoding('utf8')
      let body = ''
      response.on('data', (chunk: string) => {
        body += chunk
      })
      const { statusCode } = response
      response.on('end', () => resolve({ status: statusCode, body }))
    })
    asked.on('error', reject)
    asked.end()
  })
}

test('several URLs are served at once, unix sockets too, and a socket file nobody serves is taken over', async () => {
  const socketPath = join(folder, 'etcd.sock')
  const url = `unix://${socketPath}`
  const stale = createServer()
  await new Promise<void>((resolve) => stale.listen(socketPath, resolve))
  const busy = listenClients({ member: new FakeMember(), urls: [url] })
  await expect(busy).rejects.toThrow(`cannot listen on ${url}`)
  const { urls } = await openOver(stale, socketPath)
  expect(urls).toHaveLength(3)
  for (const each of urls.slice(0, 2)) await status(new URL(each).host)
  await status(url)
  expect((await ask({ socketPath }, '/health')).body).toContain('"health":"true"')
})

/** As after a kill: the file stays, the server does not. */
async function openOver(stale: Server, path: string): Promise<ClientListener> {
  linkSync(path, `${path}.kept`)
  await new Promise<void>((resolve) => stale.close(() => resolve()))
  renameSync(`${path}.kept`, path)
  return open({ urls: [anyPort, anyPort, `unix://${path}`] })
}

test('with HTTP URLs of their own the other client URLs serve gRPC alone', async () => {
  const { urls } = await open({ httpUrls: [anyPort] })
  const [forGrpc = '', forHttp = ''] = urls
  await status(new URL(forGrpc).host)
  await expect(ask({ url: forGrpc }, '/health')).rejects.toThrow()
  expect((await ask({ url: forHttp }, '/health')).status).toBe(200)
  await expect(status(new URL(forHttp).host)).rejects.toThrow()
})

test('URLs for metrics serve what probes ask for, and no keys', async () => {
  const { metricsUrls } = await open({ metricsUrls: [anyPort] })
  const [url = ''] = metricsUrls
  for (const path of ['/metrics', '/health', '/livez', '/readyz?verbose']) {
    expect((await ask({ url }, path)).status, path).toBe(200)
  }
  expect((await ask({ url }, '/v3/kv/range', { method: 'POST' })).status).toBe(404)
  await expect(status(new URL(url).host)).rejects.toThrow()
})

test('without the gateway there are no keys over HTTP', async () => {
  const { urls } = await open({ hasGateway: false })
  const [url = ''] = urls
  expect((await ask({ url }, '/v3/kv/range', { method: 'POST' })).status).toBe(404)
  expect((await ask({ url }, '/health')).status).toBe(200)
})
