import { createServer, type Server } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Container, Probe } from '../../resources/pod-spec/pod-spec.ts'
import { RunError } from '../runtime/runtime.ts'
import { tryProbe, type ProbeTarget } from './probe-action.ts'
import { Prober } from './prober.ts'

let server: Server
let port = 0
beforeEach(async () => {
  server = createServer((request, response) => {
    const { url = '' } = request
    if (url === '/hang') return
    const to = url === '/loop' ? '/loop' : /^\/to(\/\d+)$/.exec(url)?.[1]
    if (to !== undefined) {
      response.writeHead(302, { location: to }).end()
      return
    }
    response.statusCode = Number(request.url?.slice(1)) || 200
    response.end(request.headers['x-name'] ?? 'fine')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

const target = (more: Partial<Container> = {}, exitCode: () => number = () => 0): ProbeTarget => ({
  container: { name: 'c', resources: {}, ports: [{ name: 'web', containerPort: port }], ...more },
  podIp: '127.0.0.1',
  execute: (argv) =>
    argv[0] === 'missing'
      ? Promise.reject(new RunError('executable file not found'))
      : Promise.resolve({ exitCode: exitCode(), output: 'said', isTimedOut: argv[0] === 'slow' }),
})
const outcome = async (probe: Probe): Promise<string> => (await tryProbe(probe, target())).outcome

test('HTTP answers from 200 to 399 are a success, all else is a failure', async () => {
  const of = (path: string): Promise<string> => outcome({ httpGet: { path, port } })
  expect([await of('/200'), await of('/399'), await of('/400'), await of('/500')]).toEqual([
    'success',
    'success',
    'failure',
    'failure',
  ])
})

test('a probe that takes too long is a failure', async () => {
  expect(await outcome({ httpGet: { path: '/hang', port }, timeoutSeconds: 0.05 })).toBe('failure')
  expect(await outcome({ exec: { command: ['slow'] } })).toBe('failure')
})

test('ports can be named, and headers are sent', async () => {
  const result = await tryProbe(
    { httpGet: { port: 'web', httpHeaders: [{ name: 'x-name', value: 'me' }] } },
    target(),
  )
  expect(result).toEqual({ outcome: 'success', message: 'me' })
  expect(await outcome({ httpGet: { port: 'none' } })).toBe('unknown')
})

test('a TCP probe succeeds when somebody listens', async () => {
  expect(await outcome({ tcpSocket: { port } })).toBe('success')
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  expect(await outcome({ tcpSocket: { port } })).toBe('failure')
})

test('a command that cannot be run is neither success nor failure', async () => {
  expect(await outcome({ exec: { command: ['missing'] } })).toBe('unknown')
})

/** What the prober told, in order. */
const probing = (
  container: Partial<Container>,
  exitCode: () => number,
): { log: string[]; prober: Prober } => {
  const log: string[] = []
  const prober = new Prober(
    target(container, exitCode),
    {
      changed: () => log.push('changed'),
      failed: (kind) => log.push(`failed ${kind}`),
      unhealthy: (kind) => log.push(`unhealthy ${kind}`),
    },
    { isStarted: false, isReady: false },
  )
  return { log, prober }
}
const exec = { exec: { command: ['x'] } }
const until = (check: () => void): Promise<void> =>
  vi.waitFor(check, { timeout: 10_000, interval: 5 })

test('a liveness probe kills after as many failures in a row as its threshold', async () => {
  const { log, prober } = probing(
    { livenessProbe: { ...exec, periodSeconds: 0.01, failureThreshold: 2 } },
    () => 1,
  )
  await until(() =>
    expect(log).toEqual(['unhealthy Liveness', 'unhealthy Liveness', 'failed Liveness']),
  )
  prober.close()
})

test('readiness comes and goes with the probe', async () => {
  let exitCode = 1
  const { prober } = probing(
    { readinessProbe: { ...exec, periodSeconds: 0.01, failureThreshold: 2 } },
    () => exitCode,
  )
  expect(prober.isReady).toBe(false)
  exitCode = 0
  await until(() => expect(prober.isReady).toBe(true))
  exitCode = 1
  await until(() => expect(prober.isReady).toBe(false))
  prober.close()
})

test('until the startup probe succeeds no other probe is tried and nothing is ready', async () => {
  let exitCode = 1
  const { log, prober } = probing(
    {
      startupProbe: { ...exec, periodSeconds: 0.01, failureThreshold: 1000 },
      livenessProbe: { ...exec, periodSeconds: 0.01, failureThreshold: 1 },
    },
    () => exitCode,
  )
  await until(() => expect(log.length).toBeGreaterThan(3))
  expect([new Set(log), prober.isStarted, prober.isReady]).toEqual([
    new Set(['unhealthy Startup']),
    false,
    false,
  ])
  exitCode = 0
  await until(() => expect([prober.isStarted, prober.isReady]).toEqual([true, true]))
  prober.close()
})

test('failures are told as Go tells them, and redirects to the same host are followed', async () => {
  const told = async (probe: Probe): Promise<string> => (await tryProbe(probe, target())).message
  const free = createServer()
  await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve))
  const closed = (free.address() as AddressInfo).port
  await new Promise((resolve) => free.close(resolve))
  const refused = `dial tcp 127.0.0.1:${closed}: connect: connection refused`
  expect([
    await told({ httpGet: { path: '/x', port: closed } }),
    await told({ tcpSocket: { port: closed } }),
    await told({ httpGet: { path: '/hang', port }, timeoutSeconds: 0.05 }),
    await told({ exec: { command: ['slow', 'one'] } }),
    await told({ grpc: { port: closed } }),
    await told({ httpGet: { path: '/to/500', port } }),
    await told({ httpGet: { path: '/to/200', port } }),
    await told({ httpGet: { path: '/loop', port } }),
  ]).toEqual([
    `Get "http://127.0.0.1:${closed}/x": ${refused}`,
    refused,
    `Get "http://127.0.0.1:${port}/hang": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
    'command "slow one" timed out',
    `timeout: failed to connect service "127.0.0.1:${closed}" within 1s: context deadline exceeded`,
    'HTTP probe failed with statuscode: 500',
    'fine',
    `Get "http://127.0.0.1:${port}/loop": stopped after 10 redirects`,
  ])
})

test.each([
  ['a', 'success', 'service healthy'],
  ['b', 'failure', 'service unhealthy (responded with "NOT_SERVING")'],
  [
    'c',
    'failure',
    'error: this server does not implement the grpc health protocol (grpc.health.v1.Health): no',
  ],
])('a gRPC probe asks for the health of service %s: %s', async (service, result, message) => {
  const grpc = createHttp2Server()
  grpc.on('stream', (stream) => {
    let name = ''
    stream.on('data', (part: Buffer) => (name += part.subarray(7).toString()))
    stream.on('end', () => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true })
      stream.on('wantTrailers', () =>
        stream.sendTrailers(
          name === 'c' ? { 'grpc-status': '12', 'grpc-message': 'no' } : { 'grpc-status': '0' },
        ),
      )
      stream.end(Buffer.from([0, 0, 0, 0, 2, 8, name === 'a' ? 1 : 2]))
    })
  })
  await new Promise<void>((resolve) => grpc.listen(0, '127.0.0.1', resolve))
  const probe = { grpc: { port: (grpc.address() as AddressInfo).port, service } }
  expect(await tryProbe(probe, target())).toEqual({ outcome: result, message })
  grpc.close()
})
