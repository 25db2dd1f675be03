// The streams of the Kubernetes client for Node.js, unmodified, to pods that run: exec, attach, logs, copies, ports.
import {
  Attach,
  CoreV1Api,
  Cp,
  Exec,
  KubeConfig,
  Log,
  Metrics,
  PortForward,
  topNodes,
  topPods,
  type V1Status,
} from '@kubernetes/client-node'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { get, type IncomingMessage } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startCluster, type Cluster } from '../packages/orchestrator/src/index.ts'

let cluster: Cluster
let config: KubeConfig
let core: CoreV1Api
const errors: Error[] = []
const namespace = 'default'

beforeAll(async () => {
  cluster = await startCluster({ onError: (error) => errors.push(error) })
  config = new KubeConfig()
  config.loadFromFile(cluster.kubeconfig)
  core = config.makeApiClient(CoreV1Api)
})
afterAll(async () => {
  await cluster.close()
  expect(errors).toEqual([])
})

/** Resolves when the pod's container runs. */
const run = async (name: string, script: string, more: object = {}): Promise<void> => {
  const container = { name: 'c', image: 'sh', command: ['sh', '-c', script], ...more }
  await core.createNamespacedPod({
    namespace,
    body: { metadata: { name, labels: { name } }, spec: { containers: [container] } },
  })
  await vi.waitFor(
    async () => {
      const { status } = await core.readNamespacedPod({ name, namespace })
      expect(status?.containerStatuses?.[0]?.ready).toBe(true)
    },
    { timeout: 10_000, interval: 50 },
  )
}

const exec = async (
  command: readonly string[],
  input?: string,
): Promise<{ out: string; err: string; status: V1Status }> => {
  const [out, err, stdin] = [new PassThrough(), new PassThrough(), new PassThrough()]
  const texts = Promise.all([text(out), text(err)])
  const status = await new Promise<V1Status>((resolve, reject) => {
    const given = input === undefined ? null : stdin
    new Exec(config)
      .exec(namespace, 'p', 'c', [...command], out, err, given, false, resolve)
      .catch(reject)
    if (input !== undefined) stdin.end(input)
  })
  out.end()
  err.end()
  const [outText, errText] = await texts
  return { out: outText, err: errText, status }
}

test('exec gives output, errors and the exit code, and takes input', async () => {
  await run('p', 'while :; do sleep 0.1; done', { env: [{ name: 'WHO', value: 'me' }] })
  const both = await exec(['sh', '-c', 'echo "$WHO"; echo bad >&2; exit 3'])
  expect(both).toMatchObject({ out: 'me\n', err: 'bad\n', status: { status: 'Failure' } })
  expect(both.status.details?.causes).toEqual([{ reason: 'ExitCode', message: '3' }])
  const long = 'x'.repeat(1_000_000)
  const counted = await exec(['wc', '-c'], long)
  expect([counted.out.trim(), counted.status.status]).toEqual(['1000000', 'Success'])
  const missing = await exec(['no-such-program'])
  expect(missing.status.message).toContain('executable file not found in $PATH')
})

test('attach gives what a container says from now on, and hands it input', async () => {
  await run('listener', 'echo ready; read line; echo "got $line"; sleep 60', { stdin: true })
  const [out, stdin] = [new PassThrough(), new PassThrough()]
  let said = ''
  out.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const socket = await new Attach(config).attach(
    namespace,
    'listener',
    'c',
    out,
    null,
    stdin,
    false,
  )
  stdin.write('hello\n')
  await vi.waitFor(() => expect(said).toBe('ready\ngot hello\n'), { timeout: 10_000 })
  socket.close()
})

test('a port of a pod is reached through a local one, and a port that is closed says so', async () => {
  const program =
    'require("http").createServer((q, r) => r.end("served " + q.url)).listen(8080, process.env.POD_IP, () => console.log("up"))'
  await run('server', `exec node -e '${program}'`)
  await vi.waitFor(
    async () => {
      const log = new PassThrough()
      const said = text(log)
      await new Log(config).log(namespace, 'server', 'c', log)
      expect(await said).toBe('up\n')
    },
    { timeout: 10_000, interval: 50 },
  )
  const forward = new PortForward(config)
  const listener = createServer((socket) => {
    void forward.portForward(namespace, 'server', [8080], socket, null, socket)
  })
  listener.listen(0, '127.0.0.1')
  await vi.waitFor(() => expect(listener.listening).toBe(true))
  const { port } = listener.address() as AddressInfo
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/a', agent: false }, resolve).on('error', reject)
  })
  expect(await text(answer)).toBe('served /a')
  listener.close()
  const [input, output, failed] = [new PassThrough(), new PassThrough(), new PassThrough()]
  let failure = ''
  failed.on('data', (chunk: Buffer) => {
    failure += chunk.toString()
  })
  await forward.portForward(namespace, 'server', [9], output, failed, input)
  await vi.waitFor(() =>
    expect(failure).toMatch(/^error forwarding port 9 to pod .*connection refused$/),
  )
})

// Its copy out of a pod is of no use anywhere: it asks for a packed archive and does not unpack it.
test('files are copied into a pod', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'balsa-copy-'))
  try {
    const content = 'line\n'.repeat(10_000)
    await mkdir(join(folder, 'from'))
    await mkdir(join(folder, 'to'))
    await writeFile(join(folder, 'from', 'file'), content)
    await new Cp(config).cpToPod(namespace, 'p', 'c', join(folder, 'from'), join(folder, 'to'))
    await vi.waitFor(
      async () => expect(await readFile(join(folder, 'to', 'file'), 'utf8')).toBe(content),
      { timeout: 10_000, interval: 50 },
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('metrics tell what nodes and pods use', async () => {
  const metrics = new Metrics(config)
  const pods = await topPods(core, metrics, namespace)
  const server = pods.find(({ Pod }) => Pod.metadata?.name === 'server')
  expect(Number(server?.Memory.CurrentUsage)).toBeGreaterThan(1_000_000)
  const [node] = await topNodes(core)
  expect(node?.Node.metadata?.name).toBe(cluster.nodes[0])
  const { items } = await metrics.getNodeMetrics()
  expect(items.map((item) => item.usage.cpu)).toEqual([expect.stringMatching(/^\d+n$/)])
})
