// MutatingAdmissionPolicies over the wire.
import { execFile } from 'node:child_process'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { missing, tools } from '../../../../../test/tools.ts'
import type { Json } from '../../resources/object.ts'
import { ApiFixture } from '../testing/api-fixture.ts'

const group = '/apis/admissionregistration.k8s.io/v1beta1'
const policies = `${group}/mutatingadmissionpolicies`
const bindings = `${group}/mutatingadmissionpolicybindings`
const deployments = '/apis/apps/v1/namespaces/default/deployments'
const configMaps = '/api/v1/namespaces/default/configmaps'
let api: ApiFixture

beforeAll(async () => {
  api = await ApiFixture.start()
})
afterEach(async () => {
  for (const path of [policies, bindings, deployments, configMaps]) {
    await api.request('DELETE', path)
  }
})
afterAll(async () => {
  expect(api.errors).toEqual([])
  await api.close()
})

type Spec = { readonly [key: string]: Json }

const rules: Json = {
  resourceRules: [
    {
      apiGroups: ['', 'apps'],
      apiVersions: ['v1'],
      operations: ['CREATE', 'UPDATE'],
      resources: ['configmaps', 'deployments'],
    },
  ],
}
const policy = (name: string, spec: Spec): Spec => ({
  metadata: { name },
  spec: { matchConstraints: rules, reinvocationPolicy: 'Never', ...spec },
})
const merging = (expression: string): Json => ({
  patchType: 'ApplyConfiguration',
  applyConfiguration: { expression },
})
const patching = (expression: string): Json => ({
  patchType: 'JSONPatch',
  jsonPatch: { expression },
})

const inForce = async (name: string, spec: Spec, bound: Spec = {}): Promise<void> => {
  const made = await api.request('POST', policies, { body: policy(name, spec) })
  expect([made.status, made.json.message]).toEqual([201, undefined])
  const body = { metadata: { name }, spec: { policyName: name, ...bound } }
  expect((await api.request('POST', bindings, { body })).status).toBe(201)
}
const labels = (more: Spec): Spec => ({ metadata: { name: 'd', labels: more } })
const deployment = (): Spec => ({
  ...labels({ app: 'd' }),
  spec: {
    selector: { matchLabels: { app: 'd' } },
    template: {
      metadata: { labels: { app: 'd' } },
      spec: { containers: [{ name: 'main', image: 'i' }] },
    },
  },
})

test('parts are merged by the keys of lists and operations are done, each seeing what was before', async () => {
  await inForce('a', {
    variables: [{ name: 'side', expression: '"side-of-" + object.metadata.name' }],
    matchConditions: [{ name: 'has-app', expression: 'has(object.metadata.labels)' }],
    mutations: [
      merging(
        `Object{spec: Object.spec{replicas: object.spec.replicas + 2, template: Object.spec.template{spec: Object.spec.template.spec{
           containers: [Object.spec.template.spec.containers{name: variables.side, image: "s"}]}}}}`,
      ),
      patching(
        `[JSONPatch{op: "test", path: "/spec/replicas", value: 3},
          JSONPatch{op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("example.com/n"), value: string(size(object.spec.template.spec.containers))},
          JSONPatch{op: "replace", path: "/spec/strategy", value: Object.spec.strategy{type: "Recreate"}}]`,
      ),
      patching('[JSONPatch{op: "test", path: "/spec/replicas", value: 9}]'),
    ],
  })
  const { status, json } = await api.request('POST', deployments, { body: deployment() })
  expect(status).toBe(201)
  expect(json.metadata.labels).toEqual({ app: 'd', 'example.com/n': '2' })
  expect(json.spec).toMatchObject({ replicas: 3, strategy: { type: 'Recreate' } })
  const { containers } = json.spec.template.spec
  // What was added has its defaults.
  expect(containers).toHaveLength(2)
  expect(containers).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ name: 'main', image: 'i' }),
      expect.objectContaining({ name: 'side-of-d', image: 's', imagePullPolicy: 'Always' }),
    ]),
  )
  const plain = await api.request('POST', configMaps, { body: { metadata: { name: 'plain' } } })
  expect([plain.status, plain.json.metadata.labels]).toEqual([201, undefined])
})

test('an earlier policy that asked for it sees what a later one changed', async () => {
  const count = merging(
    'Object{data: {"count": string(has(object.data.count) ? int(object.data.count) + 1 : 1), "seen": string(has(object.data.late))}}',
  )
  await inForce('a', { reinvocationPolicy: 'IfNeeded', mutations: [count] })
  await inForce('b', { mutations: [merging('Object{data: {"late": "yes"}}')] })
  const { json } = await api.request('POST', configMaps, {
    body: { metadata: { name: 'c' }, data: { own: '' } },
  })
  expect(json.data).toEqual({ own: '', count: '2', seen: 'true', late: 'yes' })
})

test('params give values, and without them the binding says what happens', async () => {
  await inForce(
    'p',
    {
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      matchConditions: [{ name: 'others', expression: 'object.metadata.name != "values"' }],
      mutations: [merging('Object{metadata: Object.metadata{labels: params.data}}')],
    },
    { paramRef: { name: 'values', parameterNotFoundAction: 'Deny' } },
  )
  const body = { metadata: { name: 'c' } }
  const refused = await api.request('POST', configMaps, { body })
  expect([refused.status, refused.json.message]).toEqual([
    422,
    `configmaps "c" is forbidden: policy 'p' with binding 'p' denied request: failed to configure binding: no params found for policy binding with \`Deny\` parameterNotFoundAction`,
  ])
  await api.request('DELETE', bindings)
  await api.request('POST', configMaps, {
    body: { metadata: { name: 'values' }, data: { team: 'x' } },
  })
  const spec = { policyName: 'p', paramRef: { name: 'values', parameterNotFoundAction: 'Allow' } }
  await api.request('POST', bindings, { body: { metadata: { name: 'p' }, spec } })
  expect((await api.request('POST', configMaps, { body })).json.metadata.labels).toEqual({
    team: 'x',
  })
})

test.each([
  [
    'Object{data: object.nothing}',
    `expression 'Object{data: object.nothing}' resulted in error: no such key: nothing`,
  ],
  [
    'Object{date: {"a": "b"}}',
    'failed to convert patch object to typed object: .date: field not declared in schema',
  ],
  [
    'Object{metadata: Object.data{name: "x"}}',
    'unexpected type name "Object.data", expected "Object.metadata"',
  ],
])('what fails in %s refuses unless it may be passed over', async (expression, text) => {
  await inForce('f', { mutations: [merging(expression)] })
  const body = { metadata: { name: 'c' } }
  const refused = await api.request('POST', configMaps, { body })
  expect(refused.status).toBe(422)
  expect(refused.json.message).toContain(`policy 'f' with binding 'f' denied request: `)
  expect(refused.json.message).toContain(text)
  await api.request('PATCH', `${policies}/f`, {
    body: { spec: { failurePolicy: 'Ignore' } },
    headers: { 'content-type': 'application/merge-patch+json' },
  })
  expect((await api.request('POST', configMaps, { body })).status).toBe(201)
})

test('atomic lists are not replaced by accident', async () => {
  await inForce('t', {
    mutations: [
      merging(
        'Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{tolerations: [Object.spec.template.spec.tolerations{key: "a"}]}}}}',
      ),
    ],
  })
  const { json } = await api.request('POST', deployments, { body: deployment() })
  expect(json.message).toContain(
    'may not mutate atomic arrays, maps or structs: .spec.template.spec.tolerations',
  )
})

test.each<[Spec, string]>([
  [{}, 'spec.mutations: Required value: mutations must contain at least one item'],
  [
    { mutations: [merging('Object{}')], reinvocationPolicy: '' },
    'spec.reinvocationPolicy: Required value',
  ],
  [
    { mutations: [{ patchType: 'Merge' }] },
    'spec.mutations[0].patchType: Unsupported value: "Merge": supported values: "ApplyConfiguration", "JSONPatch"',
  ],
  [
    { mutations: [{ patchType: 'JSONPatch', applyConfiguration: { expression: 'x' } }] },
    'spec.mutations[0].jsonPatch: Required value: must be specified when patchType is JSONPatch',
  ],
  [
    { mutations: [merging('{"a": 1}')] },
    'spec.mutations[0].applyConfiguration.expression: Invalid value',
  ],
  [{ mutations: [patching('objects.x')] }, "undeclared reference to 'objects'"],
])('a policy with %j is refused: %s', async (spec, text) => {
  const { status, json } = await api.request('POST', policies, { body: policy('wrong', spec) })
  expect(status).toBe(422)
  expect(json.message).toContain(text)
})

test.skipIf(missing('kubectl'))('kubectl makes and shows policies of both versions', async () => {
  const kubectl = async (words: readonly string[], input = ''): Promise<string> =>
    new Promise((resolve) => {
      const options = {
        env: { ...process.env, KUBECONFIG: api.server.kubeconfigPath, HOME: api.dataDir },
      }
      const child = execFile(tools.kubectl ?? '', words, options, (_error, stdout, stderr) => {
        resolve(`${stdout}${stderr}`)
      })
      child.stdin?.end(input)
    })
  const apiVersion = 'admissionregistration.k8s.io/v1alpha1'
  const items = [
    {
      apiVersion,
      kind: 'MutatingAdmissionPolicy',
      ...policy('k', { mutations: [merging('Object{data: {"k": "v"}}')] }),
    },
    {
      apiVersion,
      kind: 'MutatingAdmissionPolicyBinding',
      metadata: { name: 'k' },
      spec: { policyName: 'k' },
    },
  ]
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
  expect(await kubectl(['apply', '-f', '-'], list)).toContain(
    'mutatingadmissionpolicybinding.admissionregistration.k8s.io/k created',
  )
  expect(
    await kubectl(['get', 'mutatingadmissionpolicies,mutatingadmissionpolicybindings']),
  ).toMatch(
    /NAME +MUTATIONS +PARAMKIND +AGE\n\S+\/k +1 +<unset> +\S+\n\nNAME +POLICYNAME +PARAMREF +AGE\n\S+\/k +k +<unset> +\S+\n/,
  )
  await kubectl(['create', 'configmap', 'made'])
  expect(await kubectl(['get', 'configmap', 'made', '-o', 'jsonpath={.data}'])).toBe('{"k":"v"}')
})
