// The same command lines with kubectl and with `balsa`, on one cluster: what is printed, where, and the exit code must be the same.
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { missing, tools } from '../../../../test/tools.ts'
import { type Cluster, startCluster } from '../cluster.ts'
import { kubectlLines } from './testing/kubectl-lines.ts'
import { type Outcome, runVerb } from './testing/run-verb.ts'

const deployments = ['one', 'two']
const manifests = ['web', ...deployments].map(
  (name) => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec:
  replicas: ${name === 'web' ? 1 : 0}
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec: { containers: [{ name: web, image: 'web:1' }] }
---
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec: { selector: { app: ${name} }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
`,
)

const map = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\ndata: {a: "1"}\n'

describe.skipIf(missing('kubectl'))('balsa', () => {
  const folder = mkdtempSync(join(tmpdir(), 'balsa-as-kubectl-'))
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await startCluster({ agents: 0, fakeNodes: { count: 2 } })
    await cluster.apply(manifests.join('---\n'))
    const { code } = await runVerb(cluster.kubeconfig, ['rollout', 'status', 'deploy/web'])
    expect(code).toBe(0)
    const text = readFileSync(cluster.kubeconfig, 'utf8')
    for (const who of ['kubectl', 'balsa']) writeFileSync(join(folder, who), text)
    writeFileSync(join(folder, 'map.yaml'), map)
    const dataDir = dirname(cluster.kubeconfig)
    const user = await runVerb('', ['kubeconfig', '--data-dir', dataDir, '--user', 'bob'])
    writeFileSync(join(folder, 'user'), user.out)
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

  const filled = (line: string, index: 0 | 1): string[] =>
    line
      .replaceAll('NODE', cluster.nodes[index] ?? '')
      .replaceAll('DEPLOY', deployments[index] ?? '')
      .replaceAll('FILE', join(folder, 'map.yaml'))
      .replaceAll('USER', join(folder, 'user'))
      .split(' ')
      .map((word) => word.replaceAll('~', ' '))
  const plain = ({ out, err, code }: Outcome, index: 0 | 1): Outcome => {
    const without = (text: string): string =>
      text
        .replaceAll(cluster.nodes[index] ?? '', 'NODE')
        .replaceAll(
          new RegExp(
            `deployment.apps/${deployments[index]} (?=image|paused|resumed|restarted)`,
            'g',
          ),
          'deployment.apps/DEPLOY ',
        )
        .replaceAll(`"${deployments[index]}"`, '"DEPLOY"')
        .replaceAll(/(["'. ])kubectl /g, '$1balsa ')
    return { out: without(out), err: without(err), code }
  }

  test.each(kubectlLines)('answers as kubectl: %s', async (line) => {
    const judge = plain(await kubectl(filled(line, 0)), 0)
    const own = await runVerb(join(folder, 'balsa'), filled(line, 1))
    expect(plain(own, 1)).toEqual(judge)
  })
})
