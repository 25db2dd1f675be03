// What the whole control plane takes and gives in one process: start, memory, requests over TLS, 1,000 watchers, and a Deployment of 1,000
// pods on 100 fake nodes. Each line says what it should be and whether it is; beside it what Kubernetes 1.20.2 was measured at.
import { tools } from '../test/tools.ts'
import { askDeployment } from './deployment-run.ts'
import { printFigure, printHead, whole } from './goals.ts'
import { openHttp2 } from './load/https-connection.ts'
import { runH2load } from './load/run-h2load.ts'
import { runHttpsLoad, type HttpsLoadResult } from './load/run-https-load.ts'
import { adminToken, dataFolder, startUp, type UpServer } from './up-server.ts'

/** Shared runs of 2026-11-21, two cores, loopback; see ARCHITECTURE.md. */
const rival = {
  start: '4.4-5.4 s',
  idle: '550 MB',
  create: '1,010/s',
  get: '2,650/s',
  deployment: '10 s',
  after: '709 MB',
} as const

const goals = {
  idleMegabytes: { atMost: 150 },
  deploymentSeconds: { atMost: 2 },
  afterMegabytes: { atMost: 400 },
  readyMs: { atMost: 1000 },
  gets: { atLeast: 10_000 },
  creates: { atLeast: 4000 },
} as const

const inFlight = 32
const loadMs = 3000
const settleMs = 1500
const namespacePath = '/api/v1/namespaces/default'
const configMapsPath = `${namespacePath}/configmaps`

const watchersCount = 1000
/** Streams of one connection, at most. */
const watchersPerConnection = 100
const watchedEvents = 200

const pause = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms))

const printMegabytes = (
  question: string,
  server: UpServer,
  more: { goal: { atMost: number }; rival: string },
): void => {
  const value = server.residentMegabytes()
  printFigure(question, { text: `${whole(value)} MB`, value, ...more })
}

export async function controlPlane(): Promise<void> {
  printHead('control-plane: balsa up in one process, 100 fake nodes')
  const folder = dataFolder()
  try {
    {
      await using first = await startUp(folder.path, 100)
      const { readyMs } = first
      printFigure('ready, first start', { text: `${whole(readyMs)} ms`, value: readyMs })
      await pause(settleMs)
      printMegabytes('resident, idle', first, { goal: goals.idleMegabytes, rival: rival.idle })
      const { seconds, p99Ms } = await askDeployment(first, 1000)
      const perSecond = `${whole(1000 / seconds)} pods/s`
      printFigure('Deployment of 1,000 pods until all are bound', {
        text: `${seconds.toFixed(2)} s, ${perSecond}, GET p99 ${p99Ms.toFixed(0)} ms`,
        value: seconds,
        goal: goals.deploymentSeconds,
        rival: rival.deployment,
      })
      await pause(settleMs)
      printMegabytes('resident after that', first, {
        goal: goals.afterMegabytes,
        rival: rival.after,
      })
    }
    await using again = await startUp(folder.path, 100)
    printFigure('ready, existing data', {
      text: `${whole(again.readyMs)} ms, ${whole(again.upMs)} of it own`,
      value: again.readyMs,
      goal: goals.readyMs,
      rival: rival.start,
    })
    await askRequests(again)
    await askWatchers(again)
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
            ? { method: 'GET', path: namespacePath }
            : {
                method: 'POST',
                path: configMapsPath,
                body: configMap({ name: `${protocol === 'h2' ? 'h2' : 'h1'}-${name}-${index}` }),
              },
      })
    await ask('get', loadMs / 3)
    const get = await ask('get', loadMs)
    printFigure(`get one namespace, ${inFlight} in flight, ${protocol}`, {
      text: text(get),
      value: get.perSecond,
      goal: goals.gets,
      rival: rival.get,
    })
    await ask('warm', loadMs / 3)
    const create = await ask('create', loadMs)
    printFigure(`create ConfigMaps, ${inFlight} in flight, ${protocol}`, {
      text: text(create),
      value: create.perSecond,
      goal: goals.creates,
      rival: rival.create,
    })
    if (tools.h2load !== undefined) await askByH2load(server, protocol, tools.h2load)
  }
}

/** With names that the server makes up: h2load sends one body. */
async function askByH2load(
  { target }: UpServer,
  protocol: 'http/1.1' | 'h2',
  h2load: string,
): Promise<void> {
  const origin = `https://${target.host}:${target.port}`
  const run = { h2load, token: adminToken, protocol, inFlight, seconds: loadMs / 1000 }
  const get = await runH2load({ ...run, url: origin + namespacePath })
  const body = configMap({ generateName: 'h2load-' }).toString()
  const create = await runH2load({ ...run, url: origin + configMapsPath, body })
  const print = (what: string, result: typeof get, goal: { atLeast: number }): void =>
    printFigure(`${what}, ${inFlight} in flight, ${protocol}, h2load`, {
      text: `${whole(result.perSecond)}/s${failuresText(result.failures)}`,
      value: result.perSecond,
      goal,
    })
  print('get one namespace', get, goals.gets)
  print('create ConfigMaps', create, goals.creates)
}

/** From the first of some creations until every watcher of pods has all of them. */
async function askWatchers(server: UpServer): Promise<void> {
  const { client } = server.api
  const pods = { group: '', version: 'v1', plural: 'pods' }
  const { resourceVersion } = await client.list(pods, { limit: 1 })
  const connectionsCount = watchersCount / watchersPerConnection
  const connections = await Promise.all(
    Array.from({ length: connectionsCount }, () => openHttp2(server.target)),
  )
  const before = server.residentMegabytes()
  let lines = 0
  let finish: () => void = () => undefined
  const allSeen = new Promise<void>((resolve) => (finish = resolve))
  const path = `/api/v1/namespaces/watched/pods?watch=1&resourceVersion=${resourceVersion}`
  for (const connection of connections) {
    for (let index = 0; index < watchersPerConnection; index++) {
      connection.watch(path, (count) => {
        lines += count
        if (lines >= watchersCount * watchedEvents) finish()
      })
    }
  }
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'watched' } }
  await client.create({ group: '', version: 'v1', plural: 'namespaces' }, namespace)
  await pause(settleMs)
  const startedAt = performance.now()
  // No scheduler takes them, so each is one event.
  for (let index = 0; index < watchedEvents; index++) {
    await client.create(pods, gatedPod(`watched-${index}`))
  }
  await allSeen
  const seconds = (performance.now() - startedAt) / 1000
  const perSecond = (watchersCount * watchedEvents) / seconds
  const megabytes = whole(server.residentMegabytes() - before)
  printFigure(`${whole(watchersCount)} watchers of pods, ${watchedEvents} events`, {
    text: `${whole(perSecond)} deliveries/s, +${megabytes} MB`,
    value: perSecond,
  })
  for (const connection of connections) connection.close()
}

const gatedPod = (name: string): Parameters<UpServer['api']['client']['create']>[1] =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'watched' },
    spec: {
      schedulingGates: [{ name: 'example.com/never' }],
      containers: [{ name: 'web', image: 'web:1' }],
    },
  }) as unknown as Parameters<UpServer['api']['client']['create']>[1]

const text = ({ perSecond, p99Ms, failures }: HttpsLoadResult): string =>
  `${whole(perSecond)}/s, p99 ${p99Ms.toFixed(1)} ms${failuresText(failures)}`

const failuresText = (failures: number): string => (failures === 0 ? '' : `, ${failures} FAILED`)

const configMap = (metadata: Readonly<Record<string, string>>): Buffer =>
  Buffer.from(
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { ...metadata, namespace: 'default' },
      data: { key: 'x'.repeat(100) },
    }),
  )
