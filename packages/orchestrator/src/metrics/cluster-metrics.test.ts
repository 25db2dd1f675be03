// What /metrics of a cluster at work shows, by the names that dashboards ask for.
import { execFile } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { missing, tools } from '../../../../test/tools.ts'
import { type Cluster, startCluster } from '../cluster.ts'

let cluster: Cluster
beforeAll(async () => {
  cluster = await startCluster({ agents: 0, fakeNodes: { count: 1 } })
  const template = {
    metadata: { labels: { app: 'web' } },
    spec: { containers: [{ name: 'main', image: 'node' }] },
  }
  await cluster.apply(
    JSON.stringify({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'default' },
      spec: { replicas: 2, selector: { matchLabels: { app: 'web' } }, template },
    }),
  )
  await cluster.waitFor(
    { group: 'apps', version: 'v1', plural: 'deployments' },
    { namespace: 'default', name: 'web' },
    (web) => (web as { status?: { readyReplicas?: number } }).status?.readyReplicas === 2,
  )
})
afterAll(() => cluster.close())

const raw = async (...words: readonly string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    const env = { ...process.env, KUBECONFIG: cluster.kubeconfig }
    const options = { env, maxBuffer: 64 * 1024 * 1024 }
    execFile(tools.kubectl ?? '', words, options, (error, stdout) => {
      if (error === null) resolve(stdout)
      else reject(new Error(error.message, { cause: error }))
    })
  })

/** By name and labels; throws for what is no line of the format. */
const parse = (text: string): Map<string, number> => {
  const samples = new Map<string, number>()
  const types = new Map<string, string>()
  for (const line of text.trim().split('\n')) {
    const [, about, family = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? []
    if (about !== undefined) {
      if (about === 'TYPE') {
        expect(types.has(family), line).toBe(false)
        types.set(family, rest)
      }
      continue
    }
    const [, name = '', labels = '', value = ''] =
      /^([a-z_:]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\.)*",?)*)\})? (\S+)$/.exec(line) ?? []
    expect(types.has(name) || types.has(name.replace(/_(bucket|sum|count)$/, '')), line).toBe(true)
    expect(Number.isNaN(Number(value)), line).toBe(false)
    expect(samples.has(`${name}{${labels}}`), line).toBe(false)
    samples.set(`${name}{${labels}}`, Number(value))
  }
  return samples
}

test.skipIf(missing('kubectl'))('a cluster at work is measured under upstream names', async () => {
  await raw('get', 'pods')
  const samples = parse(await raw('get', '--raw', '/metrics'))
  const sum = (pattern: RegExp): number =>
    [...samples].reduce((total, [name, value]) => (pattern.test(name) ? total + value : total), 0)
  const present: readonly RegExp[] = [
    /^apiserver_request_total\{component="apiserver",group="",resource="pods",scope="namespace",subresource="",verb="LIST",version="v1",dry_run="",code="200"\}/,
    /^apiserver_request_duration_seconds_count\{.*resource="pods"/,
    /^apiserver_storage_objects\{resource="deployments.apps"\}/,
    /^etcd_request_duration_seconds_count\{operation="create",type="pods"\}/,
    /^etcd_requests_total\{operation="update",type="pods"\}/,
    /^workqueue_adds_total\{name="deployment-controller"\}/,
    /^workqueue_queue_duration_seconds_count\{name="replicaset-controller"\}/,
    /^workqueue_work_duration_seconds_count\{/,
    /^scheduler_pod_scheduling_attempts_count/,
    /^scheduler_scheduling_attempt_duration_seconds_count\{profile="default-scheduler",result="scheduled"\}/,
    /^process_resident_memory_bytes/,
    /^process_cpu_seconds_total/,
    /^kubernetes_build_info\{.*major="1"/,
  ]
  for (const pattern of present) expect(sum(pattern), String(pattern)).toBeGreaterThan(0)
  expect(sum(/^scheduler_schedule_attempts_total\{.*result="scheduled"/)).toBe(2)
  expect(samples.get('apiserver_storage_objects{resource="pods"}')).toBe(2)
  for (const queue of ['active', 'backoff', 'unschedulable', 'gated']) {
    expect(samples.get(`scheduler_pending_pods{queue="${queue}"}`)).toBe(0)
  }
  expect(samples.has('workqueue_depth{name="deployment-controller"}')).toBe(true)
  // This very request.
  expect(samples.get('apiserver_current_inflight_requests{request_kind="readOnly"}')).toBe(1)
})

test.skipIf(missing('kubectl'))(
  'names that nobody serves make no series of their own',
  async () => {
    for (const name of ['nope', 'no"pe', 'other']) {
      await expect(raw('get', '--raw', `/api/v1/${name}`)).rejects.toThrow()
    }
    const text = await raw('get', '--raw', '/metrics')
    expect(text).not.toContain('nope')
    expect([...parse(text)].filter(([key]) => key.includes('code="404"'))).toHaveLength(1)
  },
)
