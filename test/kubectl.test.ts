// Real kubectl, the newest on PATH and Debian's 1.20.2, against the apiserver alone: no controllers, no agent, so that what it prints
// is decided by the requests of the test.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ApiFixture } from '../packages/orchestrator/src/apiserver/testing/api-fixture.ts'
import type { ResourceRef } from '../packages/orchestrator/src/client/api-client.ts'
import type { KubeObject } from '../packages/orchestrator/src/resources/object.ts'
import { Kubectl } from './kubectl-process.ts'
import { missing, tools } from './tools.ts'

const deployments: ResourceRef = { group: 'apps', version: 'v1', plural: 'deployments' }
const configMaps: ResourceRef = { group: '', version: 'v1', plural: 'configmaps' }
const pods: ResourceRef = { group: '', version: 'v1', plural: 'pods' }

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: c, image: nginx, ports: [{containerPort: 80}]}
`

const columns = (table: string): string[][] =>
  table
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd().split(/\s{2,}/))

describe.each(['kubectl', 'kubectl120'] as const)('%s', (tool) => {
  describe.skipIf(missing(tool))('against the apiserver', () => {
    let api: ApiFixture
    let home = ''
    let kubectl: Kubectl
    beforeAll(async () => {
      api = await ApiFixture.start()
      home = await mkdtemp(join(tmpdir(), 'balsa-kubectl-'))
      kubectl = new Kubectl(tools[tool] ?? '', home, api.server.kubeconfigPath)
    })
    afterAll(async () => {
      expect(api.errors).toEqual([])
      await api.close()
      await rm(home, { recursive: true, force: true })
    })
    beforeEach(async () => {
      for (const path of [
        'apps/v1/namespaces/default/deployments',
        'v1/namespaces/default/pods',
        'v1/namespaces/default/configmaps',
      ]) {
        const root = path.startsWith('v1') ? '/api' : '/apis'
        await api.request('DELETE', `${root}/${path}?gracePeriodSeconds=0`)
      }
    })

    test('finds kinds by discovery and shows namespaces as a table', async () => {
      expect(columns(await kubectl.run('api-resources')).map(([name]) => name)).toEqual(
        expect.arrayContaining(['configmaps', 'deployments', 'leases', 'nodes', 'pods']),
      )
      const table = columns(await kubectl.run('get ns'))
      expect(table[0]).toEqual(['NAME', 'STATUS', 'AGE'])
      expect(table.slice(1).map((row) => row.slice(0, 2))).toEqual([
        ['default', 'Active'],
        ['kube-node-lease', 'Active'],
        ['kube-public', 'Active'],
        ['kube-system', 'Active'],
      ])
      expect(await kubectl.run('get svc kubernetes -o jsonpath={.spec.clusterIP}')).toBe(
        '127.96.0.1',
      )
      expect(await kubectl.run('auth can-i create pods')).toBe('yes\n')
      expect(await kubectl.run('get --raw /healthz')).toBe('ok')
    })

    test('applies a deployment: created, unchanged, configured', async () => {
      expect(await kubectl.run('apply -f -', deployment)).toBe('deployment.apps/web created\n')
      expect(await kubectl.run('apply -f -', deployment)).toBe('deployment.apps/web unchanged\n')
      const changed = deployment
        .replace('replicas: 2', 'replicas: 3')
        .replace('image: nginx', 'image: web:2')
      expect(await kubectl.run('apply -f -', changed)).toBe('deployment.apps/web configured\n')
      const template =
        '{.spec.replicas} {.spec.template.spec.containers[*].image} {.metadata.generation}'
      expect(await kubectl.run(`get deploy web -o 'jsonpath=${template}'`)).toBe('3 web:2 2')
      const wide = columns(await kubectl.run('get deploy -o wide'))
      expect(wide[0]).toEqual([
        'NAME',
        'READY',
        'UP-TO-DATE',
        'AVAILABLE',
        'AGE',
        'CONTAINERS',
        'IMAGES',
        'SELECTOR',
      ])
      expect(wide[1]?.[1]).toBe('0/3')
      expect(await kubectl.run('scale deploy web --replicas=5')).toBe(
        'deployment.apps/web scaled\n',
      )
      expect(await kubectl.run('get deploy web -o jsonpath={.spec.replicas}')).toBe('5')
    })

    test('applies on the server, and hears of conflicts', async () => {
      const args = 'apply --server-side -f -'
      expect(await kubectl.run(args, deployment)).toBe('deployment.apps/web serverside-applied\n')
      await kubectl.run('scale deploy web --replicas=7')
      expect(await kubectl.fails(args, deployment)).toContain('.spec.replicas')
      const forced = 'apply --server-side --force-conflicts -f -'
      expect(await kubectl.run(forced, deployment)).toBe('deployment.apps/web serverside-applied\n')
      expect(await kubectl.run('get deploy web -o jsonpath={.spec.replicas}')).toBe('2')
      await kubectl.run('delete deploy web')
      await kubectl.run('apply -f -', deployment)
      expect(await kubectl.run(forced, deployment)).toBe('deployment.apps/web serverside-applied\n')
    })

    test('tries a change on the server without storing it, and shows the difference', async () => {
      await kubectl.run('apply -f -', deployment)
      const changed = deployment.replace('image: nginx', 'image: web:2')
      expect(await kubectl.run('apply --dry-run=server -f -', changed)).toBe(
        'deployment.apps/web configured (server dry run)\n',
      )
      const { code, out } = await kubectl.start(['diff', '-f', '-'], changed).done
      expect(code).toBe(1)
      expect(out).toMatch(/^-.*image: nginx$[^]*^\+.*image: web:2$/m)
      expect(await kubectl.run('diff -f -', deployment)).toBe('')
      expect(await kubectl.run('get deploy web -o jsonpath={..image}')).toBe('nginx')
    })

    test('creates typed objects, shows them in every format and deletes them', async () => {
      await kubectl.run('create configmap a --from-literal=k=v')
      await kubectl.run('create secret generic s --from-literal=p=secret')
      await kubectl.run('create deployment typed --image=x --replicas=0 --port=80')
      expect(await kubectl.run('get deploy typed -o jsonpath={.spec.replicas}')).toBe('0')
      await kubectl.run('run p --image=busybox --env=A=b -- sleep 1')
      expect(await kubectl.run('get secret s -o jsonpath={.data.p}')).toBe('c2VjcmV0')
      expect(await kubectl.run('get cm a -o yaml')).toContain('data:\n  k: v\nkind: ConfigMap\n')
      expect(JSON.parse(await kubectl.run('get cm a -o json'))).toMatchObject({ data: { k: 'v' } })
      expect(await kubectl.run('get pods -o name')).toBe('pod/p\n')
      const custom = await kubectl.run(
        'get pods -o custom-columns=N:.metadata.name,P:.status.phase',
      )
      expect(custom.trimEnd().split(/\s+/)).toEqual(['N', 'P', 'p', 'Pending'])
      expect(await kubectl.run('describe pod p')).toContain('QoS Class:')
      expect(await kubectl.run('delete pod p')).toContain('pod "p" deleted')
      expect(await kubectl.run('delete secret s')).toContain('secret "s" deleted')
      expect(await kubectl.run('delete deploy,cm --all')).toContain(
        'deployment.apps "typed" deleted',
      )
      expect(await kubectl.run('get all')).toContain('service/kubernetes')
    })

    test('labels, annotates, patches and selects', async () => {
      for (const name of ['a', 'b', 'c'])
        await kubectl.run(`run ${name} --image=i --labels=app=${name}`)
      await kubectl.run('label pod a tier=front')
      await kubectl.run('label pod a tier-')
      await kubectl.run('annotate pod a note=hello')
      await kubectl.run(`patch pod b -p '{"metadata":{"labels":{"tier":"back"}}}'`)
      await kubectl.run(
        `patch pod c --type=json -p '[{"op":"add","path":"/metadata/labels/tier","value":"back"}]'`,
      )
      await kubectl.run(`patch pod c --type=merge -p '{"metadata":{"labels":{"app":null}}}'`)
      const names = async (args: string): Promise<string> =>
        (await kubectl.run(`get pods -o 'jsonpath={.items[*].metadata.name}' ${args}`)).trim()
      expect(await names('-l tier=back')).toBe('b c')
      expect(await names(`-l '!tier'`)).toBe('a')
      expect(await names(`-l 'app in (a,b),tier'`)).toBe('b')
      expect(await names('--field-selector metadata.name!=a')).toBe('b c')
      expect(await names('--field-selector status.phase=Pending --chunk-size=1')).toBe('a b c')
      expect(columns(await kubectl.run('get pods --chunk-size=2')).map(([name]) => name)).toEqual([
        'NAME',
        'a',
        'b',
        'c',
      ])
      expect(await kubectl.run('get pod a -o jsonpath={.metadata.annotations.note}')).toBe('hello')
    })

    test('watches until told to stop', async () => {
      const watch = kubectl.start(['get', 'cm', '-w', '-l', 'app=w'])
      const create = async (name: string): Promise<void> => {
        const object: KubeObject = {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name, namespace: 'default', labels: { app: 'w' } },
        }
        await api.server.client.create(configMaps, object)
      }
      await create('first')
      await watch.outputHas('first')
      await create('second')
      await watch.outputHas('second')
      watch.stop()
      expect(columns((await watch.done).out)[0]).toEqual(['NAME', 'DATA', 'AGE'])
    })

    test('waits for a rollout and for a deletion', async () => {
      await kubectl.run('apply -f -', deployment)
      const rollout = kubectl.start(['rollout', 'status', 'deploy/web', '--timeout=30s'])
      await rollout.outputHas('Waiting for deployment')
      const current = await api.server.client.get(deployments, 'default', 'web')
      const status = {
        observedGeneration: 1,
        replicas: 2,
        updatedReplicas: 2,
        readyReplicas: 2,
        availableReplicas: 2,
      }
      const done: KubeObject & { readonly status: object } = { ...current, status }
      await api.server.client.update(deployments, done, 'status')
      expect((await rollout.done).out).toContain('deployment "web" successfully rolled out')
      await kubectl.run('run p --image=i')
      await api.server.client.bind('default', 'p', 'n1')
      const deletion = kubectl.start(['delete', 'pod', 'p', '--timeout=30s'])
      await deletion.outputHas('deleted')
      await api.server.client.delete(pods, 'default', 'p', { gracePeriodSeconds: 0 })
      expect((await deletion.done).code).toBe(0)
    })

    test('prints the errors that users know', async () => {
      expect(await kubectl.fails('get pod nope')).toBe(
        'Error from server (NotFound): pods "nope" not found\n',
      )
      await kubectl.run('create cm dup')
      expect(await kubectl.fails('create cm dup')).toMatch(
        /^(?:Error from server \(AlreadyExists\)|error: failed to create configmap): configmaps "dup" already exists\n$/,
      )
      const invalid = deployment.replace(
        'labels: {app: web}}\n    spec',
        'labels: {app: other}}\n    spec',
      )
      expect(await kubectl.fails('create -f -', invalid)).toContain(
        'The Deployment "web" is invalid: spec.template.metadata.labels: Invalid value: ',
      )
      const wrongType = deployment.replace('replicas: 2', 'replicas: two')
      expect(await kubectl.fails('create --validate=false -f -', wrongType)).toContain(
        'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
      )
      expect(await kubectl.fails('create -n nons cm a')).toContain('namespaces "nons" not found')
      expect(await kubectl.fails(`get pods -l 'a in'`)).toContain(
        "unable to parse requirement: found '' expected: '('",
      )
      expect(await kubectl.fails('get nothings')).toContain(
        'the server doesn\'t have a resource type "nothings"',
      )
      expect(await kubectl.fails('delete ns default')).toContain(
        'namespaces "default" is forbidden: this namespace may not be deleted',
      )
    })

    test('a replace with a stale resourceVersion is a conflict', async () => {
      await kubectl.run('create cm a --from-literal=k=1')
      const stale = await kubectl.run('get cm a -o json')
      await kubectl.run(`patch cm a -p '{"data":{"k":"2"}}'`)
      const file = join(home, 'stale.json')
      await writeFile(file, stale)
      expect(await kubectl.fails(`replace -f ${file}`)).toContain(
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
      )
      expect(await kubectl.run(`replace --force -f ${file}`)).toContain('configmap/a replaced')
    })

    test('shows the logs of the container that the pod says', async () => {
      const unregister = api.server.nodes.register('n1', {
        async *readLog(_pod, { container, tailLines }) {
          const all = [1, 2, 3].map((number) => `${container} line ${number}\n`)
          yield await Promise.resolve(Buffer.from(all.slice(-(tailLines ?? 3)).join('')))
        },
      })
      await kubectl.run('run p --image=i')
      await api.server.client.bind('default', 'p', 'n1')
      expect(await kubectl.run('logs p')).toBe('p line 1\np line 2\np line 3\n')
      expect(await kubectl.run('logs p --tail=1 -f')).toBe('p line 3\n')
      unregister()
      expect(await kubectl.fails('logs p')).toContain('no agent of node n1 is connected')
    })
  })
})
