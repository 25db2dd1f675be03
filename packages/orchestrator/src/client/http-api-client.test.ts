import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { Json, KubeObject } from '../resources/object.ts'
import { ApiError } from './api-client.ts'
import type { WatchEvent } from './api-client.ts'
import { HttpApiClient } from './http-api-client.ts'
import { ConnectionError, HttpTransport } from './http-transport.ts'

const pods = { group: '', version: 'v1', plural: 'pods' }
const deployments = { group: 'apps', version: 'v1', plural: 'deployments' }
const pod = (name: string, resourceVersion = '1'): Json => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', resourceVersion },
})

interface Seen {
  readonly line: string
  readonly type: string | undefined
  readonly body: string
}
const cleanups: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A server that answers everything with `answer`, and what it was asked. */
const serve = async (
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ client: HttpApiClient; transport: HttpTransport; seen: Seen[]; server: Server }> => {
  const seen: Seen[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      seen.push({
        line: `${request.method} ${request.url}`,
        type: request.headers['content-type'],
        body: Buffer.concat(chunks).toString(),
      })
      answer(request, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const transport = new HttpTransport({ url: `http://127.0.0.1:${port}` })
  cleanups.push(() => {
    transport.close()
    server.closeAllConnections()
    server.close()
  })
  return { client: new HttpApiClient(transport), transport, seen, server }
}

const json = (response: ServerResponse, value: Json, status = 200): void => {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value))
}

test('every call asks for the path, the type and the body that Kubernetes expects', async () => {
  const { client, seen } = await serve((_request, response) => json(response, pod('a b')))
  const object = pod('a b') as unknown as KubeObject
  await client.get(pods, 'default', 'a b')
  await client.get({ ...pods, plural: 'nodes' }, undefined, 'n')
  await client.create(pods, object)
  await client.update(pods, object, 'status')
  await client.patch(deployments, 'x', 'd', 'merge', { spec: { replicas: 2 } }, 'scale')
  await client.patch(deployments, 'x', 'd', 'json', [])
  await client.patch(deployments, 'x', 'd', 'strategic', {})
  await client.delete(pods, 'default', 'a b', { gracePeriodSeconds: 0, uid: 'u' })
  await client.bind('default', 'p', 'n')
  expect(seen.map(({ line, type }) => `${line} ${type ?? ''}`.trim())).toEqual([
    'GET /api/v1/namespaces/default/pods/a%20b',
    'GET /api/v1/nodes/n',
    'POST /api/v1/namespaces/default/pods application/json',
    'PUT /api/v1/namespaces/default/pods/a%20b/status application/json',
    'PATCH /apis/apps/v1/namespaces/x/deployments/d/scale application/merge-patch+json',
    'PATCH /apis/apps/v1/namespaces/x/deployments/d application/json-patch+json',
    'PATCH /apis/apps/v1/namespaces/x/deployments/d application/strategic-merge-patch+json',
    'DELETE /api/v1/namespaces/default/pods/a%20b application/json',
    'POST /api/v1/namespaces/default/pods/p/binding application/json',
  ])
  expect(JSON.parse(seen[7]?.body ?? '')).toEqual({
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    gracePeriodSeconds: 0,
    preconditions: { uid: 'u' },
  })
  expect(JSON.parse(seen[8]?.body ?? '')).toMatchObject({ target: { kind: 'Node', name: 'n' } })
})

test('a list carries its selectors and gives its items their kind', async () => {
  const { client, seen } = await serve((_request, response) =>
    json(response, {
      apiVersion: 'v1',
      kind: 'PodList',
      metadata: { resourceVersion: '7', continue: 'next' },
      items: [{ metadata: { name: 'a' } }],
    }),
  )
  expect(
    await client.list(pods, { namespace: 'default', labelSelector: 'a in (b)', limit: 5 }),
  ).toEqual({
    items: [{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } }],
    resourceVersion: '7',
    continue: 'next',
  })
  expect(seen[0]?.line).toBe(
    'GET /api/v1/namespaces/default/pods?labelSelector=a+in+%28b%29&limit=5',
  )
})

describe('failures', () => {
  const status = (code: number, reason: string): Json => ({
    kind: 'Status',
    status: 'Failure',
    message: `it is ${reason}`,
    reason,
    details: { name: 'x' },
    code,
  })

  test('a Status is an ApiError with its code, reason and details', async () => {
    const { client } = await serve((_request, response) =>
      json(response, status(409, 'Conflict'), 409),
    )
    const failure = client.get(pods, 'default', 'x')
    await expect(failure).rejects.toBeInstanceOf(ApiError)
    await expect(failure).rejects.toMatchObject({
      code: 409,
      reason: 'Conflict',
      message: 'it is Conflict',
      details: { name: 'x' },
    })
  })

  test.each([
    [404, 'NotFound', 'the server could not find the requested resource'],
    [401, 'Unauthorized', 'You must be logged in to the server (Unauthorized)'],
    [500, '', 'boom'],
  ])('a plain %d is an ApiError too', async (code, reason, message) => {
    const { client } = await serve((_request, response) => response.writeHead(code).end('boom'))
    await expect(client.get(pods, 'd', 'x')).rejects.toMatchObject({ code, reason, message })
  })

  test('a refused connection, an answer that is no JSON and one that breaks off are told apart', async () => {
    const { client, server } = await serve((request, response) => {
      if (request.url?.includes('broken') === true) {
        response.writeHead(200, { 'Content-Length': '100' }).write('{"a"')
        response.destroy()
      } else response.end('<html>')
    })
    await expect(client.get(pods, 'd', 'x')).rejects.toMatchObject({ code: 'BROKEN' })
    await expect(client.get(pods, 'd', 'broken')).rejects.toBeInstanceOf(ConnectionError)
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await expect(client.get(pods, 'd', 'x')).rejects.toMatchObject({ code: 'REFUSED' })
  })
})

describe('a watch', () => {
  interface Watched {
    readonly events: WatchEvent<KubeObject>[]
    readonly ended: Promise<Error | undefined>
    readonly close: () => void
  }
  const watch = (client: HttpApiClient): Watched => {
    const events: WatchEvent<KubeObject>[] = []
    let close = (): void => undefined
    const ended = new Promise<Error | undefined>((resolve) => {
      close = client.watch(
        pods,
        { namespace: 'default', resourceVersion: '5' },
        { event: (event) => events.push(event), ended: resolve },
      )
    })
    return { events, ended, close }
  }

  test('delivers events whole, however the bytes are cut, and ends when the server ends it', async () => {
    const { client, seen } = await serve((_request, response) => {
      const lines = [
        { type: 'ADDED', object: pod('grüße', '6') },
        { type: 'BOOKMARK', object: { metadata: { resourceVersion: '9' } } },
        { type: 'DELETED', object: pod('b', '10') },
      ]
      const bytes = Buffer.from(lines.map((line) => JSON.stringify(line)).join('\n'))
      response.flushHeaders()
      const send = (at: number): void => {
        if (at >= bytes.length) response.end()
        else response.write(bytes.subarray(at, at + 7), () => send(at + 7))
      }
      send(0)
    })
    const { events, ended } = watch(client)
    expect(await ended).toBeUndefined()
    expect(events).toEqual([
      { type: 'ADDED', object: pod('grüße', '6') },
      { type: 'BOOKMARK', resourceVersion: '9' },
      { type: 'DELETED', object: pod('b', '10') },
    ])
    expect(seen[0]?.line).toBe(
      'GET /api/v1/namespaces/default/pods?watch=true&allowWatchBookmarks=true&resourceVersion=5',
    )
  })

  test('ends with Expired when its start is forgotten', async () => {
    const object = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' }
    const { client } = await serve((_request, response) =>
      json(response, { type: 'ERROR', object }),
    )
    expect(await watch(client).ended).toMatchObject({ code: 410, reason: 'Expired' })
  })

  test('ends with the error of a refused request, of nonsense, and of a lost connection', async () => {
    let answer: (response: ServerResponse) => void = (response) =>
      json(response, { kind: 'Status', code: 403, reason: 'Forbidden', message: 'no' }, 403)
    const { client } = await serve((_request, response) => answer(response))
    expect(await watch(client).ended).toMatchObject({ reason: 'Forbidden' })
    answer = (response) => response.end('nonsense\n')
    expect(await watch(client).ended).toBeInstanceOf(ConnectionError)
    answer = (response) => response.end(`${JSON.stringify({ type: 'NEW', object: {} })}\n`)
    expect(await watch(client).ended).toBeInstanceOf(ConnectionError)
    answer = (response) => {
      response.flushHeaders()
      setImmediate(() => response.destroy())
    }
    expect(await watch(client).ended).toBeInstanceOf(ConnectionError)
  })

  test('ends when a line has no end', async () => {
    const { client } = await serve((_request, response) => {
      response.flushHeaders()
      for (let sent = 0; sent <= 16; sent++) response.write(Buffer.alloc(1024 * 1024, 'x'))
    })
    expect(await watch(client).ended).toMatchObject({
      code: 'BROKEN',
      message: 'A line of the answer is longer than 16777216',
    })
  })

  test('says nothing more after close', async () => {
    const responses: ServerResponse[] = []
    const { client } = await serve((_request, response) => {
      response.flushHeaders()
      responses.push(response)
    })
    const { events, ended, close } = watch(client)
    await expect.poll(() => responses.length).toBe(1)
    const closed = new Promise((resolve) => responses[0]?.on('close', resolve))
    close()
    await closed
    expect(events).toEqual([])
    expect(await Promise.race([ended.then(() => 'ended'), Promise.resolve('open')])).toBe('open')
  })
})
