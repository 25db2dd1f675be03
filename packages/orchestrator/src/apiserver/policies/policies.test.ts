import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { missing, tools } from '../../../../../test/tools.ts'
import type { Json } from '../../resources/object.ts'
import { ApiFixture } from '../testing/api-fixture.ts'

const group = '/apis/admissionregistration.k8s.io/v1'
const configMaps = '/api/v1/namespaces/default/configmaps'
let folder = ''
let api: ApiFixture

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'balsa-policies-'))
  const policyFile = join(folder, 'audit.yaml')
  await writeFile(
    policyFile,
    'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata, verbs: [create]}]\n',
  )
  api = await ApiFixture.start({
    access: { audit: { policyFile, logPath: join(folder, 'audit.log') } },
  })
})
afterEach(async () => {
  for (const plural of ['validatingadmissionpolicies', 'validatingadmissionpolicybindings']) {
    await api.request('DELETE', `${group}/${plural}`)
  }
  await api.request('DELETE', configMaps)
})
afterAll(async () => {
  await api.close()
  await rm(folder, { recursive: true, force: true })
})

type Spec = { readonly [key: string]: Json }

const onConfigMaps: Json = {
  resourceRules: [
    { apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['configmaps'] },
  ],
  // Those that controllers make are none of our business.
  excludeResourceRules: [
    {
      apiGroups: [''],
      apiVersions: ['v1'],
      operations: ['*'],
      resources: ['configmaps'],
      resourceNames: ['kube-root-ca.crt'],
    },
  ],
}
const policy = (spec: Spec, name = 'rules'): Json => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingAdmissionPolicy',
  metadata: { name },
  spec: { matchConstraints: onConfigMaps, ...spec },
})
const binding = (spec: Spec = {}, name = 'everywhere'): Json => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingAdmissionPolicyBinding',
  metadata: { name },
  spec: { policyName: 'rules', validationActions: ['Deny'], ...spec },
})

const made = async (path: string, body: Json): Promise<void> => {
  const answer = await api.request('POST', path, { body })
  expect([answer.status, answer.json['message']]).toEqual([201, undefined])
}
const inForce = async (spec: Spec, bound: Spec = {}): Promise<void> => {
  await made(`${group}/validatingadmissionpolicies`, policy(spec))
  await made(`${group}/validatingadmissionpolicybindings`, binding(bound))
}
interface Answer {
  readonly code: number
  readonly reason: unknown
  readonly message: unknown
  readonly warning: unknown
}
const create = async (
  name: string,
  more: Spec = {},
  options: { readonly user?: string; readonly namespace?: string } = {},
): Promise<Answer> => {
  const { user, namespace = 'default' } = options
  const headers = user === undefined ? {} : { 'impersonate-user': user }
  const body = { metadata: { name }, ...more }
  const path = `/api/v1/namespaces/${namespace}/configmaps`
  const { status, json, headers: sent } = await api.request('POST', path, { body, headers })
  const { reason, message } = json
  return { code: status, reason, message, warning: sent['warning'] }
}
const denial = (name: string, text: string): string =>
  `configmaps "${name}" is forbidden: ValidatingAdmissionPolicy 'rules' with binding 'everywhere' denied request: ${text}`

test('a broken rule denies with its message, its expression or what an expression says of it', async () => {
  await inForce({
    variables: [{ name: 'size', expression: 'has(object.data) ? size(object.data) : 0' }],
    validations: [
      { expression: 'request.operation == "DELETE" || variables.size < 3' },
      { expression: '!has(object.data.a)', message: 'no a', reason: 'Forbidden' },
      {
        expression: '!has(object.data.b)',
        message: 'unused',
        messageExpression: '"%s has b, %d in all".format([object.metadata.name, variables.size])',
      },
      {
        expression: '!has(object.data.c)',
        message: 'c is not for you',
        messageExpression: 'object.nothing.there',
        reason: 'Unauthorized',
      },
    ],
  })
  expect(await create('good', { data: { x: '1' } })).toMatchObject({ code: 201 })
  expect(await create('big', { data: { x: '', y: '', z: '' } })).toMatchObject({
    code: 422,
    reason: 'Invalid',
    message: denial(
      'big',
      'failed expression: request.operation == "DELETE" || variables.size < 3',
    ),
  })
  expect(await create('a', { data: { a: '' } })).toMatchObject({
    code: 403,
    reason: 'Forbidden',
    message: denial('a', 'no a'),
  })
  expect(await create('b', { data: { b: '' } })).toMatchObject({
    code: 422,
    message: denial('b', 'b has b, 1 in all'),
  })
  expect(await create('c', { data: { c: '' } })).toMatchObject({
    code: 401,
    message: denial('c', 'c is not for you'),
  })
  const body = { data: { a: 'later' } }
  const patched = await api.request('PATCH', `${configMaps}/good`, {
    body,
    headers: { 'content-type': 'application/merge-patch+json' },
  })
  expect(patched.json['message']).toBe(denial('good', 'no a'))
  expect(patched.json['details']).toEqual({
    name: 'good',
    kind: 'configmaps',
    causes: [
      {
        message: "ValidatingAdmissionPolicy 'rules' with binding 'everywhere' denied request: no a",
      },
    ],
  })
})

test('what is wrong with a policy is said when it is made', async () => {
  const of = async (spec: Spec, path = 'validatingadmissionpolicies'): Promise<unknown> => {
    const body = path.endsWith('policies') ? policy(spec) : binding(spec)
    return (await api.request('POST', `${group}/${path}`, { body })).json['message']
  }
  const head = 'ValidatingAdmissionPolicy.admissionregistration.k8s.io "rules" is invalid: '
  const said = (text: string): unknown => expect.stringContaining(head + text)
  const rule = (expression: string): Spec => ({ validations: [{ expression }] })
  expect(await of({})).toBe(
    `${head}[spec.validations: Required value: validations or auditAnnotations must contain at least one item, spec.auditAnnotations: Required value: validations or auditAnnotations must contain at least one item]`,
  )
  expect(await of(rule('object.data.size( <'))).toEqual(
    said(
      'spec.validations[0].expression: Invalid value: "object.data.size( <": compilation failed: ERROR: <input>:1:19: ',
    ),
  )
  expect(await of(rule('objects.data == 1'))).toEqual(
    said(
      `spec.validations[0].expression: Invalid value: "objects.data == 1": compilation failed: ERROR: <input>:1:1: undeclared reference to 'objects' (in container '')\n | objects.data == 1\n | ^`,
    ),
  )
  expect(await of(rule('params.max > 1'))).toEqual(said('spec.validations[0].expression'))
  expect(await of(rule('variables.later'))).toEqual(
    expect.stringContaining(`undefined field 'later'`),
  )
  expect(await of(rule('1 + 1'))).toEqual(
    said(
      'spec.validations[0].expression: Invalid value: "1 + 1": must evaluate to bool but got int',
    ),
  )
  expect(await of({ ...rule('true'), failurePolicy: 'Perhaps' })).toEqual(
    said('spec.failurePolicy: Unsupported value: "Perhaps": supported values: "Fail", "Ignore"'),
  )
  expect(await of({ ...rule('true'), matchConstraints: {} })).toEqual(
    said('spec.matchConstraints.resourceRules: Required value'),
  )
  expect(await of({ ...rule('true'), variables: [{ name: 'for', expression: '1' }] })).toEqual(
    said('spec.variables[0].name: Invalid value: "for": name is not a valid CEL identifier'),
  )
  expect(
    await of({ validationActions: ['Deny', 'Warn'] }, 'validatingadmissionpolicybindings'),
  ).toEqual(expect.stringContaining('must not contain both Deny and Warn'))
  expect(
    await of(
      { paramRef: { parameterNotFoundAction: 'Deny' } },
      'validatingadmissionpolicybindings',
    ),
  ).toEqual(
    expect.stringContaining(
      'spec.paramRef: Required value: one of name or selector must be specified',
    ),
  )
})

test('conditions, selectors and rules of bindings say whom a policy is about', async () => {
  await inForce(
    {
      matchConditions: [{ name: 'not-jane', expression: 'request.userInfo.username != "jane"' }],
      validations: [{ expression: 'false' }],
    },
    {
      matchResources: {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'default' } },
        objectSelector: { matchExpressions: [{ key: 'free', operator: 'DoesNotExist' }] },
      },
    },
  )
  await made('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    metadata: { name: 'jane' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'jane' }],
  })
  expect(await create('one')).toMatchObject({ code: 422 })
  expect(await create('two', {}, { user: 'jane' })).toMatchObject({ code: 201 })
  expect(await create('three', {}, { namespace: 'kube-public' })).toMatchObject({ code: 201 })
  const labelled = { metadata: { name: 'four', labels: { free: 'yes' } } }
  expect(await create('four', labelled)).toMatchObject({ code: 201 })
})

test('params are read by name or selector, and are allowed to be missing or not', async () => {
  const spec: Spec = {
    paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
    matchConditions: [{ name: 'no-params', expression: '!has(object.metadata.labels)' }],
    validations: [
      {
        expression: 'params == null || size(object.data) <= int(params.data.max)',
        messageExpression: '"at most " + params.data.max',
      },
    ],
  }
  await inForce(spec, { paramRef: { name: 'limits', parameterNotFoundAction: 'Deny' } })
  const two = { data: { a: '', b: '' } }
  expect(await create('early', two)).toMatchObject({
    code: 422,
    message: denial(
      'early',
      'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction',
    ),
  })
  // Params are subject to the policy too.
  const other = { paramRef: { name: 'limits', parameterNotFoundAction: 'Allow' } }
  await api.request('DELETE', `${group}/validatingadmissionpolicybindings/everywhere`)
  await made(`${group}/validatingadmissionpolicybindings`, binding(other))
  expect(await create('free', two)).toMatchObject({ code: 201 })
  const limits = { labels: { limit: 'yes' } }
  await made(configMaps, { metadata: { name: 'limits', ...limits }, data: { max: '1' } })
  expect(await create('more', two)).toMatchObject({ message: denial('more', 'at most 1') })
  await api.request('DELETE', `${group}/validatingadmissionpolicybindings/everywhere`)
  const bySelector = {
    paramRef: { selector: { matchLabels: { limit: 'yes' } }, parameterNotFoundAction: 'Deny' },
  }
  await made(`${group}/validatingadmissionpolicybindings`, binding(bySelector))
  await made(configMaps, { metadata: { name: 'loose', ...limits }, data: { max: '9' } })
  expect(await create('more', two)).toMatchObject({ message: denial('more', 'at most 1') })
})

test('a rule that fails counts as broken unless failures are ignored', async () => {
  await inForce({ validations: [{ expression: 'object.data.a == "1"' }] })
  expect(await create('none')).toMatchObject({
    code: 422,
    message: denial(
      'none',
      `expression 'object.data.a == "1"' resulted in error: no such key: data`,
    ),
  })
  await api.request('PATCH', `${group}/validatingadmissionpolicies/rules`, {
    body: { spec: { failurePolicy: 'Ignore' } },
    headers: { 'content-type': 'application/merge-patch+json' },
  })
  expect(await create('none')).toMatchObject({ code: 201 })
})

test('a policy may only warn, and writes what it finds into the audit log', async () => {
  await inForce(
    {
      validations: [{ expression: 'false', message: 'not nice' }],
      auditAnnotations: [{ key: 'who', valueExpression: '"it is " + object.metadata.name' }],
    },
    { validationActions: ['Warn', 'Audit'] },
  )
  const answer = await create('warned')
  expect(answer.code).toBe(201)
  expect(String(answer.warning)).toBe(
    `299 - "Validation failed for ValidatingAdmissionPolicy 'rules' with binding 'everywhere': not nice"`,
  )
  const log = join(folder, 'audit.log')
  await expect
    .poll(async () =>
      (await readFile(log, 'utf8')).split('\n').find((l) => l.includes('"rules/who"')),
    )
    .toBeDefined()
  const line = (await readFile(log, 'utf8')).split('\n').findLast((l) => l.includes('"rules/who"'))
  const { annotations } = JSON.parse(line ?? '') as { annotations: Record<string, string> }
  expect(annotations['rules/who']).toBe('it is warned')
  const key = 'validation.policy.admission.k8s.io/validation_failure'
  expect(JSON.parse(annotations[key] ?? '')).toEqual([
    {
      message: 'not nice',
      policy: 'rules',
      binding: 'everywhere',
      expressionIndex: 0,
      validationActions: ['Warn', 'Audit'],
    },
  ])
})

test('expressions know the namespace and may ask who may do what', async () => {
  const checks = [
    'namespaceObject.metadata.name == "default"',
    'authorizer.group("").resource("configmaps").namespace("default").check("create").allowed()',
    '!authorizer.serviceAccount("default", "nobody").group("").resource("secrets").check("get").allowed()',
    'authorizer.requestResource.check("delete").allowed() && authorizer.path("/healthz").check("get").allowed()',
    'oldObject == null && request.namespace == "default" && request.resource.resource == "configmaps"',
    'url("https://a.example:8443/x?q=1&q=2").getHost() == "a.example:8443" && url("/p/q").getEscapedPath() == "/p/q" && url("https://a?q=1&q=2").getQuery()["q"] == ["1", "2"]',
    'ip("10.0.0.1").family() == 4 && ip("::1").isLoopback() && !ip("10.0.0.1").isLinkLocalUnicast() && ip("fd00::1") == ip("fd00:0::1")',
    'cidr("10.0.0.0/8").containsIP("10.9.8.7") && !cidr("10.0.0.0/8").containsCIDR("10.0.0.0/7") && cidr("10.0.0.0/8").prefixLength() == 8 && string(cidr("10.0.0.0/8").ip()) == "10.0.0.0"',
    'sets.contains(["a", "b"], ["a"]) && !sets.intersects([1], [2]) && "abc".reverse() == "cba"',
  ]
  await inForce({ validations: checks.map((expression) => ({ expression })) })
  expect(await create('asks')).toMatchObject({ code: 201, message: undefined })
})

test('rules that never seem to end are ended', async () => {
  await inForce({
    validations: [
      {
        expression:
          'request.operation == "DELETE" || object.data.all(a, object.data.all(b, object.data.all(c, a + b + c != "")))',
      },
    ],
  })
  const data = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`k${index}`, '']))
  expect(await create('endless', { data })).toMatchObject({
    code: 422,
    message: denial(
      'endless',
      'validation failed due to running out of cost budget, no further validation rules will be run',
    ),
  })
})

test.skipIf(missing('kubectl'))('kubectl shows policies and what they deny', async () => {
  const kubectl = async (...words: readonly string[]): Promise<string> =>
    new Promise((resolve) => {
      const options = {
        env: { ...process.env, KUBECONFIG: api.server.kubeconfigPath, HOME: folder },
      }
      execFile(tools.kubectl ?? '', words, options, (_error, stdout, stderr) => {
        resolve(`${stdout}${stderr}`)
      })
    })
  const file = join(folder, 'policy.json')
  const items = [policy({ validations: [{ expression: 'false' }] }), binding()]
  await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
  expect(await kubectl('apply', '-f', file)).toContain('/rules created')
  expect(
    await kubectl('get', 'validatingadmissionpolicies,validatingadmissionpolicybindings'),
  ).toMatch(
    /NAME +VALIDATIONS +PARAMKIND +AGE\n\S+\/rules +1 +<unset> +\S+\n\nNAME +POLICYNAME +PARAMREF +AGE\n\S+\/everywhere +rules +<unset> +\S+\n/,
  )
  expect(await kubectl('create', 'configmap', 'refused')).toBe(
    "error: failed to create configmap: configmaps \"refused\" is forbidden: ValidatingAdmissionPolicy 'rules' with binding 'everywhere' denied request: failed expression: false\n",
  )
})

test('a policy says which of its expressions do not fit the kinds that it is about', async () => {
  const about = (resource: string, validations: Json, more: Spec = {}): Json => {
    const rule = { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE'] }
    const matchConstraints = { resourceRules: [{ ...rule, resources: [resource] }] }
    return policy({ matchConstraints, validations, ...more }, 'typed')
  }
  const warnings = async (body: Json): Promise<Json> => {
    const path = `${group}/validatingadmissionpolicies`
    const { json } = await api.request('POST', path, { body: JSON.stringify(body) })
    await api.request('DELETE', `${path}/typed`)
    return json.status.typeChecking
  }
  const fits = { expression: 'object.spec.replicas > 1 && has(object.metadata.labels)' }
  expect(await warnings(about('deployments', [fits]))).toEqual({})
  const confused = {
    expression: "object.spec.replicas > '1'",
    messageExpression: "'got ' + variables.count",
  }
  const variables = [{ name: 'count', expression: 'object.spec.replicas' }]
  expect(await warnings(about('deployments', [fits, confused], { variables }))).toEqual({
    expressionWarnings: [
      {
        fieldRef: 'spec.validations[1].expression',
        warning: expect.stringContaining(
          "apps/v1, Kind=Deployment: ERROR: <input>:1:1: found no matching overload for '_>_' applied to '(int, string)'",
        ),
      },
      {
        fieldRef: 'spec.validations[1].messageExpression',
        warning: expect.stringContaining("'_+_' applied to '(string, int)'"),
      },
    ],
  })
  const nowhere = { expression: 'object.spec.nowhere == oldObject.spec.template' }
  expect(JSON.stringify(await warnings(about('statefulsets', [nowhere])))).toContain(
    "undefined field 'nowhere'",
  )
  expect(await warnings(about('*', [nowhere]))).toEqual({})
})
