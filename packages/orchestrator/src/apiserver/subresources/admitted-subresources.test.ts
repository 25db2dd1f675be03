// What admission sees of subresources, told by policies; and who owns what is scaled.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Json } from '../../resources/object.ts'
import { ApiFixture } from '../testing/api-fixture.ts'

const base = '/api/v1/namespaces/default'
const deployments = '/apis/apps/v1/namespaces/default/deployments'
const policies = '/apis/admissionregistration.k8s.io/v1'
let api: ApiFixture

beforeAll(async () => {
  api = await ApiFixture.start()
  const template = {
    metadata: { labels: { app: 'web' } },
    spec: { containers: [{ name: 'main', image: 'node' }] },
  }
  const selector = { matchLabels: { app: 'web' } }
  await made(deployments, { metadata: { name: 'web' }, spec: { selector, template } })
  await made(`${base}/serviceaccounts`, { metadata: { name: 'default' } }, [201, 409])
  const containers = [{ name: 'main', image: 'node' }]
  await made(`${base}/pods`, { metadata: { name: 'pod' }, spec: { containers } })
})
afterAll(async () => {
  await api.close()
})

const made = async (path: string, body: Json, codes: readonly number[] = [201]): Promise<void> => {
  const { status, text } = await api.request('POST', path, { body })
  expect(codes, text).toContain(status)
}

/** Runs while a policy refuses what breaks `expression`. */
const ruled = async (
  rule: { readonly group: string; readonly resource: string; readonly operation: string },
  expression: string,
  run: () => Promise<void>,
): Promise<void> => {
  const resourceRules = [
    {
      apiGroups: [rule.group],
      apiVersions: ['*'],
      operations: [rule.operation],
      resources: [rule.resource],
    },
  ]
  const spec = { matchConstraints: { resourceRules }, validations: [{ expression }] }
  await made(`${policies}/validatingadmissionpolicies`, { metadata: { name: 'p' }, spec })
  await made(`${policies}/validatingadmissionpolicybindings`, {
    metadata: { name: 'b' },
    spec: { policyName: 'p', validationActions: ['Deny'] },
  })
  await run()
  await api.request('DELETE', `${policies}/validatingadmissionpolicies/p`)
  await api.request('DELETE', `${policies}/validatingadmissionpolicybindings/b`)
}
const scaled = async (
  replicas: Json,
  query = '?fieldManager=scaler',
  contentType = 'application/merge-patch+json',
): Promise<{ readonly status: number; readonly json: Record<string, unknown> }> => {
  const body = { apiVersion: 'autoscaling/v1', kind: 'Scale', spec: { replicas } }
  const headers = { 'content-type': contentType }
  return api.request('PATCH', `${deployments}/web/scale${query}`, { body, headers })
}
const applyType = 'application/apply-patch+yaml'

interface Owner {
  readonly manager: string
  readonly operation: string
  readonly apiVersion: string
  readonly subresource?: string
  readonly fieldsV1: Json
}
const ownersOfReplicas = async (): Promise<readonly Partial<Owner>[]> => {
  const { json } = await api.request('GET', `${deployments}/web`)
  const owners = json.metadata.managedFields as readonly Owner[]
  return owners
    .filter(({ fieldsV1 }) => JSON.stringify(fieldsV1).includes('f:replicas'))
    .map(({ manager, operation, apiVersion, subresource }) => ({
      manager,
      operation,
      apiVersion,
      ...(subresource === undefined ? {} : { subresource }),
    }))
}

test('replicas are owned by who scales, and a scale can be applied', async () => {
  expect((await scaled(2)).json['spec']).toEqual({ replicas: 2 })
  const scaler = { manager: 'scaler', apiVersion: 'apps/v1', subresource: 'scale' }
  expect(await ownersOfReplicas()).toEqual([{ ...scaler, operation: 'Update' }])
  const refused = await scaled(3, '?fieldManager=applier', applyType)
  expect([refused.status, refused.json['message']]).toEqual([
    409,
    'Apply failed with 1 conflict: conflict with "scaler" using apps/v1: .spec.replicas',
  ])
  const applied = await scaled(3, '?fieldManager=applier&force=true', applyType)
  expect([applied.status, applied.json['kind'], applied.json['spec']]).toEqual([
    200,
    'Scale',
    { replicas: 3 },
  ])
  expect(await ownersOfReplicas()).toEqual([{ ...scaler, manager: 'applier', operation: 'Apply' }])
  expect((await scaled(3, '', applyType)).status).toBe(422)
  const missing = `${deployments}/none/scale?fieldManager=a`
  const body = { apiVersion: 'autoscaling/v1', kind: 'Scale', spec: { replicas: 1 } }
  const headers = { 'content-type': applyType }
  expect((await api.request('PATCH', missing, { body, headers })).status).toBe(404)
  const wrong = { ...body, kind: 'Deployment' }
  const path = `${deployments}/web/scale?fieldManager=a`
  expect((await api.request('PATCH', path, { body: wrong, headers })).status).toBe(400)
})

test('admission sees a scale as a Scale, and not as an update of the workload', async () => {
  const onScale = { group: 'apps', resource: 'deployments/scale', operation: 'UPDATE' }
  const rule =
    'object.kind == "Scale" && request.kind.group == "autoscaling" && object.spec.replicas <= oldObject.spec.replicas + 5'
  await ruled(onScale, rule, async () => {
    expect((await scaled(4)).status).toBe(200)
    expect((await scaled(40)).json['message']).toContain(
      `deployments.apps "web" is forbidden: ValidatingAdmissionPolicy 'p'`,
    )
    expect((await scaled(41, '?fieldManager=x&force=true', applyType)).status).toBe(422)
  })
  await ruled({ ...onScale, resource: 'deployments' }, 'false', async () => {
    expect((await scaled(5)).status).toBe(200)
  })
})

test.each([
  [
    'exec',
    'exec?command=rm&command=-r&stdin=true&container=main',
    'object.command == ["rm", "-r"] && object.stdin && object.container == "main" && object.kind == "PodExecOptions"',
  ],
  [
    'attach',
    'attach?tty=1',
    'object.tty && !has(object.stdin) && request.kind.kind == "PodAttachOptions"',
  ],
  [
    'portforward',
    'portforward?ports=80',
    'object.ports == [80] && request.name == "pod" && request.namespace == "default"',
  ],
  ['proxy', 'proxy/some/page', 'object.path == "/some/page" && object.kind == "PodProxyOptions"'],
])('a connection to %s passes admission as what it asks for', async (name, path, rule) => {
  const onPods = { group: '', resource: `pods/${name}`, operation: 'CONNECT' }
  const ask = async (): Promise<unknown> =>
    (await api.request('GET', `${base}/pods/pod/${path}`)).json?.message
  await ruled(onPods, `!(${rule})`, async () => {
    expect(await ask()).toContain(`pods "pod" is forbidden: ValidatingAdmissionPolicy 'p'`)
  })
  await ruled(onPods, rule, async () => {
    // The pod is on no node.
    expect(await ask()).not.toContain('ValidatingAdmissionPolicy')
  })
})

test('bindings and evictions pass admission as what they are', async () => {
  const post = async (path: string, body: Json): Promise<unknown> =>
    (await api.request('POST', `${base}/pods/pod/${path}`, { body })).json.message
  const onPods = { group: '', operation: 'CREATE' }
  const binding = { metadata: { name: 'pod' }, target: { kind: 'Node', name: 'n' } }
  const isN = 'object.kind == "Binding" && object.target.name == "n"'
  await ruled({ ...onPods, resource: 'pods/binding' }, `!(${isN})`, async () => {
    expect(await post('binding', binding)).toContain('ValidatingAdmissionPolicy')
  })
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'pod' } }
  const isEviction = 'object.kind == "Eviction" && request.kind.group == "policy"'
  await ruled({ ...onPods, resource: 'pods/eviction' }, `!(${isEviction})`, async () => {
    expect(await post('eviction', eviction)).toContain('ValidatingAdmissionPolicy')
  })
})
