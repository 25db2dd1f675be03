// What the whole control plane takes and gives in one process: start, memory, requests over TLS, and a Deployment of 1,000 pods on 100 fake
// nodes; and as control-plane-large 30,000 pods on 5,000. Beside it what Kubernetes 1.20.2 was measured at on the same kind of machine.
import type { KubeObject } from '../packages/orchestrator/src/resources/object.ts'
import { dataFolder, startUp, type UpServer } from './up-server.ts'
import { openHttp2 } from './load/https-connection.ts'
import { runHttpsLoad, type HttpsLoadResult } from './load/run-https-load.ts'

/** Shared runs of 2026-11-21, two cores, loopback; see ARCHITECTURE.md. */
const rival = {
  start: '4.4-5.4 s',
  idle: '550 MB',
  create: '1,010/s',
  get: '2,650/s',
  deployment: '10 s',
  after: '709 MB',
  rate: '346 pods/s (100 nodes)',
} as const

const inFlight = 32
const loadMs = 3000
const settleMs = 1500
/** Between two requests that look how fast the server answers while it schedules. */
const probeMs = 10

const readyPollMs = 250

const pause = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms))
const whole = (value: number): string => Math.round(value).toLocaleString('en')

const print = (question: string, ours: string, theirs = ''): void =>
  console.log(`  ${question.padEnd(62)} ${ours.padEnd(34)} ${theirs}`)

export async function controlPlane(): Promise<void> {
  console.log('control-plane: balsa up in one process, 100 fake nodes; beside it Kubernetes 1.20.2')
  const folder = dataFolder()
  try {
    {
      await using first = await startUp(folder.path, 100)
      print('ready, first start', `${whole(first.readyMs)} ms`)
      await pause(settleMs)
      print('resident, idle', `${whole(first.residentMegabytes())} MB`, rival.idle)
      await askDeployment(first, 1000, rival.deployment)
      await pause(settleMs)
      print('resident after that', `${whole(first.residentMegabytes())} MB`, rival.after)
    }
    await using again = await startUp(folder.path, 100)
    print(
      'ready, existing data',
      `${whole(again.readyMs)} ms, ${whole(again.upMs)} ms of it after Node's start`,
      rival.start,
    )
    await askRequests(again)
  } finally {
    folder.remove()
  }
}

export async function controlPlaneLarge(): Promise<void> {
  console.log('control-plane-large: 5,000 fake nodes, a Deployment of 30,000 pods')
  const folder = dataFolder()
  try {
    await using server = await startUp(folder.path, 5000)
    print('ready with 5,000 nodes', `${whole(server.readyMs)} ms`)
    await askDeployment(server, 30_000, rival.rate)
    print('resident after that', `${whole(server.residentMegabytes())} MB`)
  } finally {
    folder.remove()
  }
}

async function askRequests(server: UpServer): Promise<void> {
  for (const protocol of ['http/1.1', 'h2'] as const) {
    const ask = (name: string, durationMs: number): Promise<HttpsLoadResult> =>
      runHttpsLoad({
        target: server.target,
        protocol,
        inFlight,
        connections: 4,
        durationMs,
        request: (index) =>
          name === 'get'
            ? { method: 'GET', path: '/api/v1/namespaces/default' }
            : {
                method: 'POST',
                path: '/api/v1/namespaces/default/configmaps',
                body: configMap(`${protocol === 'h2' ? 'h2' : 'h1'}-${name}-${index}`),
              },
      })
    await ask('get', loadMs / 3)
    const get = await ask('get', loadMs)
    print(`get one namespace, ${inFlight} in flight, ${protocol}`, text(get), rival.get)
    await ask('warm', loadMs / 3)
    const create = await ask('create', loadMs)
    print(`create ConfigMaps, ${inFlight} in flight, ${protocol}`, text(create), rival.create)
  }
}

const text = ({ perSecond, p99Ms, failures }: HttpsLoadResult): string =>
  `${whole(perSecond)}/s, p99 ${p99Ms.toFixed(1)} ms${failures === 0 ? '' : `, ${failures} FAILED`}`

const configMap = (name: string): Buffer =>
  Buffer.from(
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: 'default' },
      data: { key: 'x'.repeat(100) },
    }),
  )

const podsRef = { group: '', version: 'v1', plural: 'pods' }
const deploymentsRef = { group: 'apps', version: 'v1', plural: 'deployments' }

/** From the request until every pod is bound, with a GET on its way all the time. */
async function askDeployment(server: UpServer, replicas: number, theirs: string): Promise<void> {
  const { client } = server.api
  const { resourceVersion } = await client.list(podsRef, { limit: 1 })
  let bound = 0
  let finish: () => void = () => undefined
  const allBound = new Promise<void>((resolve) => {
    finish = resolve
  })
  // A pod that gets a node leaves what this watch selects. A watch that falls behind on a large cluster ends; then readiness tells.
  const close = client.watch(
    podsRef,
    { resourceVersion, fieldSelector: 'spec.nodeName=' },
    {
      event: ({ type }) => {
        if (type === 'DELETED' && ++bound === replicas) finish()
      },
      ended: () => undefined,
    },
  )
  const ready = setInterval(() => {
    void readyReplicas(server).then((count) => (count === replicas ? finish() : undefined))
  }, readyPollMs)
  const startedAt = performance.now()
  await client.create(deploymentsRef, deployment(replicas))
  const ending = new AbortController()
  const probe = probeUntil(server, ending.signal)
  await allBound
  const seconds = (performance.now() - startedAt) / 1000
  close()
  clearInterval(ready)
  ending.abort()
  const p99Ms = await probe
  const perSecond = replicas / seconds
  print(
    `Deployment of ${whole(replicas)} pods until all are bound`,
    `${seconds.toFixed(2)} s, ${whole(perSecond)} pods/s`,
    theirs,
  )
  print('  GET p99 meanwhile', `${p99Ms.toFixed(1)} ms`)
}

interface DeploymentObject extends KubeObject {
  readonly status?: { readonly readyReplicas?: number }
}

async function readyReplicas({ api }: UpServer): Promise<number> {
  const { status } = await api.client.get<DeploymentObject>(deploymentsRef, 'default', 'web')
  return status?.readyReplicas ?? 0
}

async function probeUntil(server: UpServer, end: AbortSignal): Promise<number> {
  const connection = await openHttp2(server.target)
  const times: number[] = []
  while (!end.aborted) {
    const sentAt = performance.now()
    await new Promise((resolve) => {
      connection.send({ method: 'GET', path: '/api/v1/namespaces/default' }, resolve)
    })
    times.push(performance.now() - sentAt)
    await pause(probeMs)
  }
  connection.close()
  times.sort((left, right) => left - right)
  return times[Math.floor(times.length * 0.99)] ?? 0
}

const deployment = (replicas: number): Parameters<UpServer['api']['client']['create']>[1] =>
  ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          containers: [
            {
              name: 'web',
              image: 'web:1',
              resources: { requests: { cpu: '100m', memory: '64Mi' } },
            },
          ],
        },
      },
    },
  }) as unknown as Parameters<UpServer['api']['client']['create']>[1]
