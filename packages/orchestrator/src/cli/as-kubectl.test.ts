// The same command lines with kubectl and with `balsa`, on one cluster: what is printed, where, and the exit code must be the same.
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { missing, tools } from '../../../../test/tools.ts'
import { type Cluster, startCluster } from '../cluster.ts'
import { type Outcome, runVerb } from './testing/run-verb.ts'

/** NODE is a node of each one's own. */
const lines = `
explain pods
explain pod.spec.containers --recursive
explain crd.spec.versions.schema --recursive
explain deploy.spec.strategy.type
explain deploy.spec.nope
explain events --api-version=events.k8s.io/v1
explain nope
explain pods nodes
wait deploy/web --for=jsonpath={.status.replicas}=1
wait deploy/web --for=jsonpath=.metadata.name
wait deploy/web --for=jsonpath={.status.replicas}=2 --timeout=0
wait deploy/web --for=jsonpath={.metadata}=web
wait deploy/web --for=jsonpath={.status.conditions[*].status}=True
wait deploy/web --for=jsonpath={.x=1
wait deploy/web --for=create
wait deploy/nope --for=create --timeout=0
wait deploy --all --for=condition=available
wait pods -l app=nope --for=condition=Ready
wait deploy/web cm/nope --for=condition=Available
wait cm/gone --for=delete
wait deploy/web --for=nonsense
wait deploy --for=create
taint node NODE a=b:NoSchedule
taint node NODE a=b:NoSchedule
taint node NODE a=c:NoSchedule --overwrite
taint node NODE b=1:NoExecute a:NoSchedule-
taint node NODE a:NoSchedule- c-
taint node NODE b-
taint node NODE a=b:Bad
taint node NODE a=b
taint node NODE a=b:NoSchedule a-
taint node NODE
taint node/NODE a=b:NoSchedule
taint pod x a=b:NoSchedule
taint node nope a=b:NoSchedule
`
  .trim()
  .split('\n')

const web = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: 'web:1' }] }
`

describe.skipIf(missing('kubectl'))('balsa', () => {
  const folder = mkdtempSync(join(tmpdir(), 'balsa-as-kubectl-'))
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await startCluster({ agents: 0, fakeNodes: { count: 2 } })
    await cluster.apply(web)
    const { code } = await runVerb(cluster.kubeconfig, ['rollout', 'status', 'deploy/web'])
    expect(code).toBe(0)
    const text = readFileSync(cluster.kubeconfig, 'utf8')
    for (const who of ['kubectl', 'balsa']) writeFileSync(join(folder, who), text)
  })
  afterAll(async () => {
    await cluster.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const kubectl = (words: readonly string[]): Promise<Outcome> =>
    new Promise((resolve) => {
      const env = { ...process.env, KUBECONFIG: join(folder, 'kubectl') }
      execFile(tools.kubectl ?? '', words, { env }, (error, out, err) => {
        resolve({ out, err, code: typeof error?.code === 'number' ? error.code : 0 })
      })
    })

  const filled = (line: string, node: string): string[] => line.replaceAll('NODE', node).split(' ')
  const plain = ({ out, err, code }: Outcome, node: string): Outcome => {
    const without = (text: string): string =>
      text.replaceAll(node, 'NODE').replaceAll("'kubectl ", "'balsa ")
    return { out: without(out), err: without(err), code }
  }

  test.each(lines)('answers as kubectl: %s', async (line) => {
    const [first = '', second = ''] = cluster.nodes
    const judge = plain(await kubectl(filled(line, first)), first)
    const own = await runVerb(join(folder, 'balsa'), filled(line, second))
    expect(plain(own, second)).toEqual(judge)
  })
})
