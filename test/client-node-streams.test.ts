// The streams of the Kubernetes client for Node.js, unmodified, to pods that run: exec, attach, logs, copies, ports.
import { Attach, CoreV1Api, Exec, KubeConfig, type V1Status } from '@kubernetes/client-node'
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
