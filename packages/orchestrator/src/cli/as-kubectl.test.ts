// The same command lines with kubectl and with `balsa`, on one cluster: what is printed, where, and the exit code must be the same.
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { missing, tools } from '../../../../test/tools.ts'
import { type Cluster, startCluster } from '../cluster.ts'
import { type Outcome, runVerb } from './testing/run-verb.ts'

/** `~` is a space within a word. NODE and DEPLOY are one's own, of those who have two; USER is the kubeconfig of somebody without rights. */
const lines = `
explain pods
explain pod.spec.containers --recursive
explain crd.spec.versions.schema --recursive
explain deploy.spec.strategy.type
explain deploy.spec.nope
explain events --api-version=events.k8s.io/v1
explain nope
explain pods nodes
explain pod.spec.containers.resources
explain hpa.spec.metrics --recursive
get
get nope
get pods -o nope
get deploy/web -o jsonpath={.metadata.name}
get deploy -o jsonpath={.items[*].metadata.name}
get deploy -o jsonpath={range~@.items[*]}x{end}
get deploy -o jsonpath={.items[?(@.metadata.name=="web")].spec.replicas}
get deploy -o jsonpath={.items[?(@.spec.replicas>0)].metadata.name}
get deploy -o jsonpath={.items[0:2].kind}
get deploy -o jsonpath={.items[-1:].metadata.name}
get deploy/web -o jsonpath={.metadata['name','namespace']}
get deploy/web -o jsonpath={..name}
get deploy/web -o jsonpath={.spec.selector}
get deploy/web -o jsonpath={.spec.template.spec.containers}
get deploy/web -o jsonpath={.spec.nope}
get deploy/web -o jsonpath-as-json={.spec.selector}
get deploy/web -o jsonpath={.x
get deploy -o custom-columns=NAME:.metadata.name,IMAGE:.spec.template.spec.containers[*].image,NO:.nope
get deploy -o custom-columns=NAME:.metadata.name,L:.spec.selector --no-headers
get deploy -o custom-columns=NAME
get deploy -o custom-columns=
get deploy,svc -o custom-columns=KIND:.kind,NAME:metadata.name
get deploy -o name --sort-by=.metadata.name
get deploy --sort-by={.spec.replicas} -o name
get svc --sort-by=.spec.nope
get deploy/web -o go-template={{.metadata.name}}
get deploy -o go-template={{range~.items}}{{.metadata.name}}={{.spec.replicas}};{{end}}
get deploy -o go-template={{range~$i,$e:=.items}}{{if~$i}},{{end}}{{$e.metadata.name}}{{end}}
get deploy/web -o go-template={{index~.spec.selector.matchLabels~"app"}}
get deploy/web -o go-template={{.spec.nope}}
get deploy/web -o go-template={{len~.spec.template.spec.containers}}{{printf~"%s"~"x"}}
get deploy -o go-template --template={{.kind}}
get svc -L app,component
get deploy --show-kind -o name
get svc/web -o name
get ns default --show-labels --no-headers
get deploy web nope -o name
get pods --as-group=x
get pods --as=bob
get pods --as=bob --as-group=system:masters -l app=nope
get pods --frob
get pods -Q
get deploy -o yaml --as=bob --as-group=system:masters -l app=nope
get --raw /version
get --raw /nope
get cm -l app=nope -o json
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
auth can-i --list
auth can-i --list --no-headers --kubeconfig USER
auth can-i --list pods
auth can-i get
auth can-i get pods -q
auth can-i frob nopes
auth can-i * *
auth can-i get deploy/web -A --subresource scale
auth can-i list storageclasses
auth can-i delete nodes -q --kubeconfig USER
auth whoami
config view
config view --minify -o json
config view --raw
config get-contexts
config get-contexts nope
config get-contexts -o name --no-headers
config set-context --current --namespace=there
config get-contexts
config set-context other --cluster=balsa
config use-context other
config current-context
config use-context nope
config view
config use-context balsa
config set-context --current --namespace=default
config get-clusters
config get-users
set image deploy/DEPLOY web=web:2
set image deploy/DEPLOY web=web:2
set image deploy DEPLOY *=web:3 nope=x
set image deploy/DEPLOY
set image deploy/nope web=x
set image cm/kube-root-ca.crt web=x
set image
port-forward svc/nope 1:2
port-forward svc/web 1:81
port-forward svc/web 1:nope
cp here there
cp a:/x b:/y
cp a/b/c:/x y
cp a: b
cp one
cp nope:/x y
`
  .trim()
  .split('\n')

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
      .replaceAll('USER', join(folder, 'user'))
      .split(' ')
      .map((word) => word.replaceAll('~', ' '))
  const plain = ({ out, err, code }: Outcome, index: 0 | 1): Outcome => {
    const without = (text: string): string =>
      text
        .replaceAll(cluster.nodes[index] ?? '', 'NODE')
        .replaceAll(`deployment.apps/${deployments[index]} image`, 'deployment.apps/DEPLOY image')
        .replaceAll(/(["'. ])kubectl /g, '$1balsa ')
    return { out: without(out), err: without(err), code }
  }

  test.each(lines)('answers as kubectl: %s', async (line) => {
    const judge = plain(await kubectl(filled(line, 0)), 0)
    const own = await runVerb(join(folder, 'balsa'), filled(line, 1))
    expect(plain(own, 1)).toEqual(judge)
  })
})
