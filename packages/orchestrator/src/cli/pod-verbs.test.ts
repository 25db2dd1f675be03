// The verbs that show objects whole and reach into pods, against a cluster with an agent whose pods are real processes.
import { randomBytes } from 'node:crypto'
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startCluster, type Cluster } from '../cluster.ts'
import { failed, type Outcome, printed, runVerb } from './testing/run-verb.ts'

const echo = `require('net').createServer((s) => s.pipe(s)).listen(7777, process.env.BALSA_POD_IP)`
let cluster: Cluster
const balsa = (...words: string[]): Promise<Outcome> => runVerb(cluster.kubeconfig, words)

beforeAll(async () => {
  cluster = await startCluster()
  await cluster.apply(`
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, labels: { tier: front } }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{ name: c, image: node, command: [node, -e, "${echo}"], readinessProbe: { tcpSocket: { port: 7777 }, periodSeconds: 1 } }]
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ port: 80, targetPort: 7777 }] }
---
apiVersion: v1
kind: Secret
metadata: { name: plain }
type: Opaque
`)
  const { code, err } = await balsa('rollout', 'status', 'deploy/web')
  expect({ code, err }).toEqual({ code: 0, err: '' })
}, 60_000)
afterAll(() => cluster.close())

test('describe shows pods, deployments, services, nodes and any other kind, and what happened', async () => {
  const pods = await balsa('describe', 'pods')
  expect(pods).toMatchObject({ err: '', code: 0 })
  expect(pods.out).toMatch(/^Name: +web-\S+\nNamespace: +default\nLabels: +app=web\n/)
  expect(pods.out).toMatch(/^Controlled By: +ReplicaSet\/web-/m)
  expect(pods.out).toMatch(/^Containers:\n {2}c:\n {4}Container ID: .*\n {4}Image: +node\n/m)
  expect(pods.out).toMatch(/^ {4}State: +Running$/m)
  expect(pods.out).toMatch(/^Events:\n {2}Type +Reason +Age +From +Message\n[^]*Started/m)
  const deployment = (await balsa('describe', 'deploy/web')).out
  expect(deployment).toMatch(
    /^Replicas: +1 desired \| 1 updated \| 1 total \| 1 available \| 0 unavailable$/m,
  )
  expect(deployment).toMatch(/^NewReplicaSet: +web-\S+ \(1\/1 replicas created\)$/m)
  const service = (await balsa('describe', 'svc', 'web')).out
  expect(service).toMatch(/^Endpoints: +127\.\d+\.\d+\.\d+:7777$/m)
  const node = (await balsa('describe', 'nodes')).out
  expect(node).toMatch(/^Non-terminated Pods: *\n +Namespace +Name\n.*\n +default +web-/m)
  const secret = (await balsa('describe', 'secret', 'plain')).out
  expect(secret).toMatch(/^API Version: +v1\nKind: +Secret\nMetadata:\n {2}Creation Timestamp: /m)
  expect(secret).toMatch(/^Type: +Opaque\nEvents: {2}<none>\n$/m)
  expect(await balsa('describe', 'pod', 'nope')).toEqual(
    failed('Error from server (NotFound): pods "nope" not found'),
  )
})

test('exec runs a command and ends with its code, with its input and errors', async () => {
  expect(
    await balsa('exec', 'deploy/web', '--', 'sh', '-c', 'echo out; echo bad >&2; exit 3'),
  ).toEqual({ out: 'out\n', err: 'bad\ncommand terminated with exit code 3\n', code: 3 })
  expect(await balsa('exec', 'deploy/web', '--', 'echo', '-n', 'a b')).toEqual(printed('a b'))
  const refused = await balsa('exec', 'deploy/web', '-c', 'other', '--', 'true')
  expect(refused).toMatchObject({ out: '', code: 1 })
  expect(refused.err).toMatch(/container other is not valid for pod web-/)
})

test('cp carries files and folders there and back, with long names, and leaves links out', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'balsa-cp-'))
  try {
    const pod = (await balsa('get', 'pods', '-o', 'name')).out.trim().replace('pod/', '')
    const deep = join('a'.repeat(90), `${'b'.repeat(90)}é`)
    const bytes = randomBytes(200_001)
    mkdirSync(join(folder, 'from', deep), { recursive: true })
    writeFileSync(join(folder, 'from', deep, 'file'), bytes, { mode: 0o750 })
    symlinkSync('nowhere', join(folder, 'from', 'link'))
    const there = join(folder, 'there')
    expect(await balsa('cp', join(folder, 'from'), `${pod}:${there}`)).toEqual(printed(''))
    expect(readFileSync(join(there, deep, 'file')).equals(bytes)).toBe(true)
    expect(readlinkSync(join(there, 'link'))).toBe('nowhere')
    const back = join(folder, 'back')
    const copied = await balsa('cp', `default/${pod}:${there}`, back)
    expect(copied).toMatchObject({ code: 0 })
    expect(copied.err).toMatch(/^warning: skipping symlink: "[^"]*back\/link" -> "nowhere" /)
    expect(readFileSync(join(back, deep, 'file')).equals(bytes)).toBe(true)
    expect(statSync(join(back, deep, 'file')).mode & 0o777).toBe(0o750)
    expect(readdirSync(back)).toHaveLength(1)
    // Into a folder that is there; and what is not there.
    await balsa('cp', join(back, deep, 'file'), `${pod}:${there}`)
    expect(readFileSync(join(there, 'file')).equals(bytes)).toBe(true)
    const none = await balsa('cp', `${pod}:${folder}/none`, join(folder, 'none'))
    expect(none).toMatchObject({ err: 'command terminated with exit code 2\n', code: 2 })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('port-forward carries connections to a pod behind a Service until it is told to end', async () => {
  const lines: string[] = []
  const write = vi.spyOn(process.stdout, 'write')
  const forwarding = runVerb(cluster.kubeconfig, ['port-forward', 'svc/web', ':80'])
  write.mockImplementation((text) => lines.push(String(text)) > 0)
  const port = await vi.waitFor(
    () => {
      const [, found] = /^Forwarding from 127\.0\.0\.1:(\d+) -> 7777$/m.exec(lines.join('')) ?? []
      if (found === undefined) throw new Error('not yet')
      return Number(found)
    },
    { timeout: 10_000 },
  )
  const socket = connect(port, '127.0.0.1')
  socket.write('there and back')
  const answer = await new Promise<string>((resolve, reject) => {
    socket.on('error', reject)
    socket.once('data', (bytes) => resolve(bytes.toString()))
  })
  expect(answer).toBe('there and back')
  socket.destroy()
  process.emit('SIGTERM', 'SIGTERM')
  expect(await forwarding).toMatchObject({ code: 0 })
})

test('top, events and api-versions say what is used, what happened and what is served', async () => {
  await vi.waitFor(
    async () => {
      const { out } = await balsa('top', 'pods')
      expect(out).toMatch(/^NAME +CPU\(cores\) +MEMORY\(bytes\)\nweb-\S+ +\d+m +\d+Mi\n$/)
    },
    { timeout: 20_000, interval: 200 },
  )
  expect((await balsa('top', 'nodes')).out).toMatch(/^NAME .*\n\S+ +\d+m +\d+% +\d+Mi +\d+%\n$/)
  const events = await balsa('events', '--for', 'deployment/web')
  expect(events.out).toMatch(/^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n.*ScalingReplicaSet/)
  expect((await balsa('api-versions')).out).toMatch(/^apps\/v1\n[^]*^v1\n$/m)
})
