// What kubectl, the newest on PATH and Debian's 1.20.2, makes of the schemas: explain, checks of fields, dry runs, owners of fields.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ApiFixture } from '../packages/orchestrator/src/apiserver/testing/api-fixture.ts'
import { Kubectl } from './kubectl-process.ts'
import { missing, tools } from './tools.ts'

const deployment = (image: string, more = ''): string => `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: c, image: ${image}, ports: [{containerPort: 80}]${more}}
`

describe.each(['kubectl', 'kubectl120'] as const)('%s', (tool) => {
  describe.skipIf(missing(tool))('with the schemas of the apiserver', () => {
    const isOld = tool === 'kubectl120'
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

    test('explains kinds, nested fields and whole trees', async () => {
      const strategy = await kubectl.run('explain deployment.spec.strategy')
      expect(strategy).toMatch(/How pods of an old template give way to new ones/)
      expect(strategy).toMatch(/rollingUpdate\s+<(?:Object|RollingUpdateDeployment)>/)
      const ports = await kubectl.run('explain pods.spec.containers.ports')
      expect(ports).toMatch(/containerPort\s+<integer> -required-/)
      expect(ports).toMatch(/protocol\s+<string>/)
      const tree = await kubectl.run('explain cronjob --recursive')
      expect(tree).toMatch(/jobTemplate[\s\S]+template[\s\S]+containers[\s\S]+livenessProbe/)
      const beta = await kubectl.run(
        'explain ingress.spec.backend --api-version=networking.k8s.io/v1beta1',
      )
      expect(beta).toMatch(/servicePort\s+</)
      expect(await kubectl.fails('explain deployment.spec.nothing')).toContain('does not exist')
    })

    test('refuses unknown fields before or at the server, and takes them where it is told to', async () => {
      const wrong = deployment('i', ', imagee: x')
      expect(await kubectl.fails('apply -f -', wrong)).toMatch(
        isOld
          ? /unknown field "imagee" in io.k8s.api.core.v1.Container/
          : /strict decoding error: unknown field "spec.template.spec.containers\[0\].imagee"/,
      )
      const missingImage =
        'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{image: i}]}'
      expect(await kubectl.fails('create -f -', missingImage)).toMatch(
        isOld ? /missing required field "name"/ : /spec.containers\[0\].name: Required value/,
      )
      const { err } = await kubectl.start(['apply', '--validate=false', '-f', '-'], wrong).done
      expect(err).toBe(
        isOld ? 'Warning: unknown field "spec.template.spec.containers[0].imagee"\n' : '',
      )
      await kubectl.run('delete deployment web')
    })

    test('runs dry at the server and shows differences', async () => {
      expect(await kubectl.run('create --dry-run=server -f -', deployment('i'))).toBe(
        'deployment.apps/web created (server dry run)\n',
      )
      await kubectl.run('apply -f -', deployment('i'))
      const { code, out } = await kubectl.start(['diff', '-f', '-'], deployment('j')).done
      expect([code, out]).toEqual([1, expect.stringMatching(/-\s+- image: i\n\+\s+- image: j/)])
      await kubectl.run('delete deployment web')
    })

    test('moves from its own apply to that of the server, and hears whose fields it changes', async () => {
      await kubectl.run('apply -f -', deployment('i'))
      expect(await kubectl.fails('apply --server-side -f -', deployment('j'))).toContain(
        'conflict with "kubectl-client-side-apply" using apps/v1: .spec.template.spec.containers[name="c"].image',
      )
      await kubectl.run('apply --server-side --force-conflicts -f -', deployment('j'))
      await kubectl.run('set env deployment/web A=b')
      await kubectl.run('apply --server-side -f -', deployment('k'))
      const { json } = await api.request('GET', '/apis/apps/v1/namespaces/default/deployments/web')
      expect(json.spec.template.spec.containers).toMatchObject([
        { image: 'k', env: [{ name: 'A', value: 'b' }] },
      ])
      const managers: string[] = json.metadata.managedFields.map(
        ({ manager, operation }: { manager: string; operation: string }) =>
          `${manager} ${operation}`,
      )
      expect(managers).toContain('kubectl Apply')
      // The newest kubectl takes its old account of what it applied over; the old one leaves it.
      expect(managers.includes('kubectl-client-side-apply Update')).toBe(isOld)
      await kubectl.run('delete deployment web')
    })

    // Older ones do not know such watches.
    if (isOld) return
    test('waits and deletes by watches that begin with the state', async () => {
      const watching = new Kubectl(tools[tool] ?? '', home, api.server.kubeconfigPath, {
        KUBE_FEATURE_WatchListClient: 'true',
      })
      await watching.run('create configmap a --from-literal=k=v')
      expect(
        await watching.run('wait --for=jsonpath={.data.k}=v configmap/a --timeout=20s'),
      ).toContain('condition met')
      expect(await watching.run('delete configmap a --timeout=20s')).toContain('deleted')
    })
  })
})
