// Creates a Deployment and waits until every pod of it has a node, with a GET on its way all the time.
import type { KubeObject } from '../packages/orchestrator/src/resources/object.ts'
import { openHttp2 } from './load/https-connection.ts'
import type { UpServer } from './up-server.ts'

export interface DeploymentRun {
  readonly seconds: number
  /** Of the GETs meanwhile. */
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Between two GETs. */
const probeMs = 10
const readyPollMs = 250

const podsRef = { group: '', version: 'v1', plural: 'pods' }
const deploymentsRef = { group: 'apps', version: 'v1', plural: 'deployments' }

const pause = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms))

/** From the request until every pod is bound. */
export async function askDeployment(server: UpServer, replicas: number): Promise<DeploymentRun> {
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
    void isReady(server, replicas).then((is) => (is ? finish() : undefined))
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
  return { seconds, ...(await probe) }
}

interface DeploymentObject extends KubeObject {
  readonly status?: { readonly readyReplicas?: number }
}

async function isReady({ api }: UpServer, replicas: number): Promise<boolean> {
  try {
    const { status } = await api.client.get<DeploymentObject>(deploymentsRef, 'default', 'web')
    return status?.readyReplicas === replicas
  } catch {
    // The server is being stopped, or it is asked again.
    return false
  }
}

async function probeUntil(
  server: UpServer,
  end: AbortSignal,
): Promise<Omit<DeploymentRun, 'seconds'>> {
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
  const quantile = (part: number): number => times[Math.floor(times.length * part)] ?? 0
  return { p50Ms: quantile(0.5), p99Ms: quantile(0.99) }
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
