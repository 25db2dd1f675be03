// What the cluster does for workloads by itself, seen through kubectl: volumes that pods keep.

import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startCluster, type Cluster } from '../packages/orchestrator/src/index.ts'
import { Kubectl } from './kubectl-process.ts'
import { missing, tools } from './tools.ts'

const errors: Error[] = []
let cluster: Cluster
let home = ''
let kubectl: Kubectl

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'balsa-platform-'))
  cluster = await startCluster({
    dataDir: join(home, 'data'),
    stopPods: true,
    onError: (error) => errors.push(error),
  })
  kubectl = new Kubectl(tools.kubectl ?? '', home, cluster.kubeconfig)
})
afterAll(async () => {
  await cluster.close()
  await rm(home, { recursive: true, force: true })
  expect(errors).toEqual([])
})

const run = async (args: string, stdin = ''): Promise<string> => {
  const { out, err, code } = await kubectl.start(args.split(' '), stdin).done
  expect([code, err]).toEqual([0, ''])
  return out
}

const statefulSet = (script: string): string =>
  JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'web' },
    spec: {
      replicas: 2,
      serviceName: 'web',
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [
            {
              name: 'c',
              image: 'sh',
              command: ['sh', '-c', script],
              volumeMounts: [{ name: 'data', mountPath: '/data' }],
            },
          ],
        },
      },
      volumeClaimTemplates: [
        {
          metadata: { name: 'data' },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
        },
      ],
    },
  })

test.skipIf(missing('kubectl'))(
  'pods of a StatefulSet keep their volumes, which end with their claims',
  async () => {
    expect(await run('get storageclass --no-headers')).toMatch(
      /^standard \(default\) +balsa\.dev\/local +Delete +WaitForFirstConsumer +false/,
    )
    const script = 'echo "$HOSTNAME" >> "$BALSA_ROOT/data/starts"; while :; do sleep 0.1; done'
    await run('apply -f -', statefulSet(script))
    await run('rollout status statefulset web --timeout=60s')
    expect(await run('get pvc --no-headers')).toMatch(
      /^data-web-0 +Bound +pvc-[0-9a-f-]+ +1Gi +RWO +standard .*\ndata-web-1 +Bound +pvc-[0-9a-f-]+ +1Gi +RWO +standard /,
    )
    expect(await run('get pv --no-headers')).toMatch(
      /^pvc-[0-9a-f-]+ +1Gi +RWO +Delete +Bound +default\/data-web-\d +standard /,
    )
    await run('delete pod web-0')
    await run('rollout status statefulset web --timeout=60s')
    await run('wait pod web-0 --for=condition=Ready --timeout=60s')
    const starts = (): Promise<string> =>
      run('exec web-0 -- sh -c cat${IFS}$BALSA_ROOT/data/starts')
    await vi.waitFor(async () => expect((await starts()).trim().split('\n')).toHaveLength(2), {
      timeout: 10_000,
      interval: 100,
    })
    const folder = join(home, 'data', 'agents', cluster.nodes[0] ?? '', 'volumes')
    expect(await readdir(folder)).toHaveLength(2)
    // A claim that a pod uses stays until the pod is gone.
    await run('delete pvc data-web-0 data-web-1 --wait=false')
    expect(await run('get pvc --no-headers')).toMatch(/^data-web-0 +Terminating /)
    await run('delete statefulset web')
    await run('wait pod -l app=web --for=delete --timeout=60s')
    await run('wait pvc --all --for=delete --timeout=60s')
    await run('wait pv --all --for=delete --timeout=60s')
    expect(await readdir(folder)).toEqual([])
  },
  120_000,
)
