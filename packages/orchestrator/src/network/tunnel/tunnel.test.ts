// An agent's tunnel to a real apiserver: the calls of pods' subresources arrive at the node's connection, with their streams, errors and
// ends; who is not the node gets none.
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Duplex, PassThrough, Readable, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startApiServer, type ApiServer } from '../../apiserver/api-server.ts'
import { MemoryStore } from '../../apiserver/memory-store.ts'
import type {
  CommandStreams,
  NodeConnection,
  NodeStats,
  PodLogOptions,
  TerminalSize,
} from '../../apiserver/node-connections.ts'
import { signClientCertificate } from '../../apiserver/pki/certificates.ts'
import { ApiError } from '../../client/api-client.ts'
import type { ApiServerAddress } from '../../client/http-transport.ts'
import type { KubeObject, Stored } from '../../resources/object.ts'
import { tunnelsPerNodeMax } from './accept-tunnel.ts'
import { AgentTunnel } from './agent-tunnel.ts'
import { dialThroughServer } from './pod-relay.ts'
import { requestUpgrade } from './request-upgrade.ts'
import { tunnelPath, tunnelProtocol } from './tunnel-protocol.ts'

const nodeName = 'far'
const pod: Stored<KubeObject> = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'web',
    namespace: 'shop',
    uid: 'u1',
    resourceVersion: '1',
    creationTimestamp: '',
  },
}
const logOptions: PodLogOptions = {
  container: 'main',
  follow: false,
  previous: false,
  timestamps: false,
  tailLines: 3,
  sinceMs: undefined,
  limitBytes: undefined,
}
const stats: NodeStats = {
  sampledAtMs: 1,
  windowMs: 2,
  startedAtMs: 3,
  cpuNanoseconds: 4,
  cpuNanocores: 5,
  memoryBytes: 6,
  memoryAvailableBytes: 7,
  pods: [],
}

let folder: string
let server: ApiServer
let echo: Server
const tunnels: AgentTunnel[] = []
const aborted: string[] = []

/** Says what it was asked, and answers like an agent. */
const fakeNode: NodeConnection = {
  readLog: async function* (asked, options, signal) {
    if (options.container === 'missing') throw new ApiError(400, 'BadRequest', 'no such container')
    yield Buffer.from(`${asked.metadata.uid} ${options.container} ${options.tailLines}\n`)
    if (!options.follow) return
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
    aborted.push('log')
  },
  exec: async (_pod, { command }, { stdin, stdout, stderr, onResize, signal }) => {
    if (command[0] === 'fail') throw new ApiError(404, 'NotFound', 'container not found ("x")')
    if (command[0] === 'hang') {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
      aborted.push('exec')
      return 1
    }
    let size: TerminalSize = { columns: 0, rows: 0 }
    onResize((one) => (size = one))
    const input = stdin === undefined ? '' : await text(stdin)
    stdout?.write(`${command.join('|')} ${input.length}`)
    stderr?.write(`${size.columns}x${size.rows}`)
    return 7
  },
  attach: async (_pod, { container }, { stdin, stdout }) => {
    stdin?.pipe(stdout ?? new PassThrough(), { end: false })
    stdout?.write(`attached to ${container} `)
    await new Promise<void>((resolve) => stdin?.once('end', resolve))
  },
  dial: async (_pod, port) => {
    if (port === 1) throw new Error('dial tcp4 127.0.0.1:1: connect: connection refused')
    const socket = connect({ port: (echo.address() as AddressInfo).port, allowHalfOpen: true })
    await new Promise((resolve) => socket.once('connect', resolve))
    return socket
  },
  stats: () => Promise.resolve(stats),
}

const addressOf = async (user: string, groups: readonly string[]): Promise<ApiServerAddress> => {
  const { ca } = server.certificates
  const pair = await signClientCertificate(ca, user, groups)
  return { url: server.url, ca: ca.certificate, cert: pair.certificate, key: pair.key }
}

const openTunnel = async (address: ApiServerAddress): Promise<AgentTunnel> =>
  new Promise((resolve, reject) => {
    const tunnel = new AgentTunnel({
      server: address,
      onError: reject,
      onOpen: () => resolve(tunnel),
    })
    tunnels.push(tunnel)
    tunnel.register(nodeName, fakeNode)
  })

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'balsa-tunnel-'))
  const store = new MemoryStore()
  server = await startApiServer({ store, url: 'https://127.0.0.1:0', dataDir: folder })
  echo = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket))
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve))
  await openTunnel(await addressOf(`system:node:${nodeName}`, ['system:nodes']))
})

afterAll(async () => {
  for (const tunnel of tunnels) tunnel.close()
  await server.close()
  echo.close()
  await rm(folder, { recursive: true, force: true })
})

const node = (): NodeConnection => server.nodes.get(nodeName)

class Collected extends Writable {
  text = ''
  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.text += chunk.toString('utf8')
    callback()
  }
}

const streamsOf = (
  input: Readable | undefined,
  signal: AbortSignal = new AbortController().signal,
): CommandStreams & { readonly stdout: Collected; readonly stderr: Collected } => ({
  stdin: input,
  stdout: new Collected(),
  stderr: new Collected(),
  tty: false,
  onResize: (listener) => listener({ columns: 80, rows: 24 }),
  signal,
})

test('a log is read through the tunnel, with its options and for the pod that was named', async () => {
  const chunks = node().readLog(pod, logOptions, new AbortController().signal)
  expect(await text(Readable.from(chunks))).toBe('u1 main 3\n')
})

test('what the agent refuses comes back as the same error of the API', async () => {
  const log = node().readLog(pod, { ...logOptions, container: 'missing' }, AbortSignal.abort())
  expect(await text(Readable.from(log)), 'a reader that has gone is told nothing').toBe('')
  const refused = node().readLog(
    pod,
    { ...logOptions, container: 'missing' },
    new AbortController().signal,
  )
  await expect(text(Readable.from(refused))).rejects.toMatchObject({
    code: 400,
    reason: 'BadRequest',
    message: 'no such container',
  })
  await expect(
    node().exec?.(pod, { container: 'x', command: ['fail'] }, streamsOf(undefined)),
  ).rejects.toMatchObject({ code: 404, message: 'container not found ("x")' })
})

test('a log that is followed ends at the agent when its reader goes', async () => {
  const reader = new AbortController()
  const log = node().readLog(pod, { ...logOptions, follow: true }, reader.signal)
  for await (const chunk of log) {
    expect(String(chunk)).toBe('u1 main 3\n')
    reader.abort()
  }
  await expect.poll(() => aborted).toContain('log')
})

test('a command gets its words, all of its input and the size of the terminal, and gives output and exit code', async () => {
  const long = 'x'.repeat(3_000_000)
  const streams = streamsOf(Readable.from([Buffer.from(long)]))
  const command = ['wc', '-c', 'y'.repeat(200_000)]
  expect(await node().exec?.(pod, { container: 'main', command }, streams)).toBe(7)
  expect(streams.stdout.text).toBe(`${command.join('|')} ${long.length}`)
  expect(streams.stderr.text).toBe('80x24')
})

test('a command whose client goes is aborted at the agent', async () => {
  const client = new AbortController()
  const streams = streamsOf(undefined, client.signal)
  const running = node().exec?.(pod, { container: 'main', command: ['hang'] }, streams)
  client.abort()
  await expect(running).rejects.toThrow('broke')
  await expect.poll(() => aborted).toContain('exec')
})

test('attach joins input and output until the input ends', async () => {
  const streams = streamsOf(Readable.from([Buffer.from('hello')]))
  await node().attach?.(pod, { container: 'main' }, streams)
  expect(streams.stdout.text).toBe('attached to main hello')
})

test('a port is dialled at the agent, with each direction ending by itself, and a refusal in its words', async () => {
  const socket = await node().dial?.(pod, 8080)
  const sent = 'z'.repeat(1_000_000)
  socket?.end(sent)
  expect(await text(socket ?? Readable.from([]))).toBe(sent)
  const again = await node().dial?.(pod, 8080)
  again?.end('GET / HTTP/1.1', 'latin1')
  expect(await text(again ?? Readable.from([]))).toBe('GET / HTTP/1.1')
  await expect(node().dial?.(pod, 1)).rejects.toThrow('connect: connection refused')
})

test('statistics come as they are', async () => {
  expect(await node().stats?.()).toEqual(stats)
})

test('another node reaches a port of the pod through the apiserver, and nobody else does', async () => {
  const target = {
    nodeName,
    pod: { namespace: 'shop', name: 'web', uid: 'u1' },
    port: 8080,
  }
  const other = await addressOf('system:node:near', ['system:nodes'])
  const socket = await dialThroughServer(other, target)
  const sent = 'r'.repeat(300_000)
  socket.end(sent)
  expect((await text(socket)).length).toBe(sent.length)
  await expect(dialThroughServer(other, { ...target, port: 1 })).rejects.toMatchObject({
    code: 503,
    message: 'dial tcp4 127.0.0.1:1: connect: connection refused',
  })
  await expect(dialThroughServer(other, { ...target, nodeName: 'none' })).rejects.toMatchObject({
    code: 503,
  })
  const someone = await addressOf('somebody', [])
  await expect(dialThroughServer(someone, target)).rejects.toMatchObject({ code: 403 })
})

test('who is another node, or none, gets no tunnel', async () => {
  const other = openTunnel(await addressOf('system:node:near', ['system:nodes']))
  await expect(other).rejects.toMatchObject({ code: 403 })
  const nobody = openTunnel({ url: server.url, ca: server.certificates.ca.certificate })
  await expect(nobody).rejects.toMatchObject({ code: 403 })
})

test('a tunnel that is closed takes its node along, and calls under way fail', async () => {
  const [first] = tunnels
  const running = node().exec?.(pod, { container: 'main', command: ['hang'] }, streamsOf(undefined))
  // Only what was taken up can break off.
  await node().stats?.()
  first?.close()
  await expect(running).rejects.toThrow('the connection to the agent of node far broke')
  await expect.poll(() => server.nodes.find(nodeName)).toBeUndefined()
})

test('a node has so many tunnels and no more: one too many is told so, and there is room again when one ends', async () => {
  const address = await addressOf('system:node:crowd', ['system:nodes'])
  const open = (): Promise<Duplex> =>
    requestUpgrade(address, { path: tunnelPath('crowd'), protocol: tunnelProtocol })
  const sockets = await Promise.all(Array.from({ length: tunnelsPerNodeMax }, open))
  await expect(open()).rejects.toMatchObject({
    code: 429,
    reason: 'TooManyRequests',
    message: `node crowd has ${tunnelsPerNodeMax} tunnels already, please try again later`,
  })
  sockets.pop()?.destroy()
  await vi.waitFor(async () => sockets.push(await open()))
  for (const socket of sockets) socket.destroy()
})
