import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PolicyRule } from '../../../resources/rbac/policy-rule.ts'
import { uncoveredRules } from '../../../resources/rbac/rule-coverage.ts'
import { ApiFixture, type Answer } from '../../testing/api-fixture.ts'
import { bootstrapPolicy } from './bootstrap-policy.ts'
import { compileRule } from './rule-matcher.ts'

const rbac = '/apis/rbac.authorization.k8s.io/v1'

let api: ApiFixture
beforeAll(async () => {
  api = await ApiFixture.start()
  const granted: [string, string, PolicyRule[]][] = [
    ['default', 'reader', [{ verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] }]],
    [
      'default',
      'one',
      [{ verbs: ['get'], apiGroups: [''], resources: ['configmaps'], resourceNames: ['a'] }],
    ],
    [
      'default',
      'binder',
      [{ verbs: ['create', 'update'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['*'] }],
    ],
  ]
  for (const [namespace, name, rules] of granted) {
    await post(`${rbac}/namespaces/${namespace}/roles`, { metadata: { name }, rules })
    await post(`${rbac}/namespaces/${namespace}/rolebindings`, {
      metadata: { name },
      roleRef: { kind: 'Role', name },
      subjects: [{ kind: 'User', name: 'jane' }],
    })
  }
})
afterAll(async () => {
  expect(api.errors).toEqual([])
  await api.close()
})

const post = async (path: string, body: object, user?: string): Promise<Answer> =>
  api.request('POST', path, { body, ...as(user) })
const as = (user: string | undefined): { headers?: Record<string, string> } =>
  user === undefined ? {} : { headers: { 'impersonate-user': user } }
const get = async (path: string, user: string): Promise<string> => {
  const { status, json } = await api.request('GET', path, as(user))
  return status === 200 ? '200' : `${status} ${String(json.message)}`
}

describe('rules', () => {
  const asked = (text: string): Parameters<ReturnType<typeof compileRule>>[0] => {
    const [verb = '', group = '', resource = '', subresource = '', name = ''] = text.split(',')
    return {
      user: { name: 'u', groups: [] },
      version: 'v1',
      namespace: '',
      verb,
      group,
      subresource,
      name,
      ...(group === 'url'
        ? { isResource: false, path: resource, resource: '' }
        : { isResource: true, path: '', resource }),
    }
  }
  test.each<[PolicyRule, string, boolean]>([
    [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }, 'get,,pods', true],
    [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }, 'list,,pods', false],
    [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }, 'get,apps,pods', false],
    [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }, 'get,,pods,log', false],
    [{ verbs: ['get'], apiGroups: [''], resources: ['pods/log'] }, 'get,,pods,log', true],
    [{ verbs: ['get'], apiGroups: ['*'], resources: ['*/scale'] }, 'get,apps,any,scale', true],
    [{ verbs: ['get'], apiGroups: ['*'], resources: ['*/scale'] }, 'get,apps,any', false],
    [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }, 'get,apps,any,status', true],
    [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }, 'get,url,/metrics', false],
    [{ verbs: ['get'], nonResourceURLs: ['/api/*'] }, 'get,url,/api/v1', true],
    [{ verbs: ['get'], nonResourceURLs: ['/api/*'] }, 'get,url,/api', false],
    [{ verbs: ['get'], nonResourceURLs: ['*'] }, 'get,url,/any', true],
    [
      { verbs: ['get'], apiGroups: [''], resources: ['pods'], resourceNames: ['a'] },
      'get,,pods,,a',
      true,
    ],
    [
      { verbs: ['list'], apiGroups: [''], resources: ['pods'], resourceNames: ['a'] },
      'list,,pods',
      false,
    ],
  ])('%j and %s: %s', (rule, question, expected) => {
    expect(compileRule(rule)(asked(question))).toBe(expected)
  })

  test('what is missing is told permission by permission, put together by resource', () => {
    const wanted = [{ verbs: ['get', 'list'], apiGroups: ['', 'apps'], resources: ['a', 'b/log'] }]
    const owned = [
      { verbs: ['*'], apiGroups: ['apps'], resources: ['a', '*/log'] },
      { verbs: ['get'], apiGroups: [''], resources: ['*'] },
    ]
    expect(uncoveredRules(owned, wanted)).toEqual([
      { verbs: ['list'], apiGroups: [''], resources: ['a'] },
      { verbs: ['list'], apiGroups: [''], resources: ['b/log'] },
    ])
    expect(
      uncoveredRules(
        [{ verbs: ['*'], nonResourceURLs: ['/a/*'] }],
        [{ verbs: ['get'], nonResourceURLs: ['/a/b', '/a'] }],
      ),
    ).toEqual([{ verbs: ['get'], nonResourceURLs: ['/a'] }])
  })
})

test('a user has the rights of the roles bound to him and no others', async () => {
  const pods = '/api/v1/namespaces/default/pods'
  expect(await get(pods, 'jane')).toBe('200')
  expect(await get('/api/v1/pods', 'jane')).toBe(
    '403 pods is forbidden: User "jane" cannot list resource "pods" in API group "" at the cluster scope',
  )
  expect(await get('/api/v1/namespaces/default/configmaps/b', 'jane')).toBe(
    '403 configmaps "b" is forbidden: User "jane" cannot get resource "configmaps" in API group "" in the namespace "default"',
  )
  expect(await get('/api/v1/namespaces/default/configmaps/a', 'jane')).toMatch(/^404/)
  expect(await get('/metrics', 'jane')).toBe(
    '403 forbidden: User "jane" cannot get path "/metrics"',
  )
  expect(await get('/api', 'jane')).toBe('200')
})

test('a binding counts at once, and no longer when it is deleted', async () => {
  const secrets = '/api/v1/namespaces/kube-public/secrets'
  expect(await get(secrets, 'eve')).toMatch(/^403/)
  const bindings = `${rbac}/namespaces/kube-public/rolebindings`
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' }
  await post(bindings, {
    metadata: { name: 'b' },
    roleRef,
    subjects: [{ kind: 'User', name: 'eve' }],
  })
  expect(await get(secrets, 'eve')).toBe('200')
  expect(await get('/api/v1/namespaces/default/secrets', 'eve')).toMatch(/^403/)
  await api.request('DELETE', `${bindings}/b`)
  expect(await get(secrets, 'eve')).toMatch(/^403/)
})

test('nobody gives away rights that he has not, unless he may bind or escalate', async () => {
  const roles = `${rbac}/namespaces/default/roles`
  const bindings = `${rbac}/namespaces/default/rolebindings`
  const role = (name: string, verb: string): object => ({
    metadata: { name },
    rules: [{ verbs: [verb], apiGroups: [''], resources: ['pods'] }],
  })
  const refused = await post(roles, role('r1', 'delete'), 'jane')
  expect(refused.json).toMatchObject({
    code: 403,
    message:
      'roles.rbac.authorization.k8s.io "r1" is forbidden: user "jane" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}',
  })
  expect((await post(roles, role('r2', 'get'), 'jane')).status).toBe(201)
  const bind = (name: string): object => ({
    metadata: { generateName: 'b' },
    roleRef: { kind: 'ClusterRole', name },
    subjects: [{ kind: 'Group', name: 'g' }],
  })
  expect((await post(bindings, bind('edit'), 'jane')).status).toBe(403)
  expect((await post(bindings, bind('none'), 'jane')).status).toBe(404)
  await post(`${rbac}/clusterroles`, {
    metadata: { name: 'bind-edit' },
    rules: [
      {
        verbs: ['bind'],
        apiGroups: ['rbac.authorization.k8s.io'],
        resources: ['clusterroles'],
        resourceNames: ['edit'],
      },
    ],
  })
  await post(`${rbac}/clusterrolebindings`, {
    metadata: { name: 'bind-edit' },
    roleRef: { kind: 'ClusterRole', name: 'bind-edit' },
    subjects: [{ kind: 'User', name: 'jane' }],
  })
  expect((await post(bindings, bind('edit'), 'jane')).status).toBe(201)
  expect((await post(bindings, bind('admin'), 'jane')).status).toBe(403)
})

test('what does not make a role or binding is told with its field', async () => {
  const bad = await post(`${rbac}/namespaces/default/roles`, {
    metadata: { name: 'bad' },
    rules: [{ verbs: [] }, { verbs: ['get'], nonResourceURLs: ['/x'] }],
  })
  expect(bad.json.message).toBe(
    'Role.rbac.authorization.k8s.io "bad" is invalid: [rules[0].verbs: Required value: verbs must contain at least one value, rules[0].apiGroups: Required value: resource rules must supply at least one api group, rules[0].resources: Required value: resource rules must supply at least one resource, rules[1].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs]',
  )
  const path = `${rbac}/namespaces/default/rolebindings/reader`
  const changed = await api.request('PATCH', path, {
    body: JSON.stringify({ roleRef: { name: 'one' } }),
    headers: { 'content-type': 'application/merge-patch+json' },
  })
  expect(changed.json.details.causes).toEqual([
    {
      reason: 'FieldValueInvalid',
      field: 'roleRef',
      message:
        'Invalid value: {"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"one"}: cannot change roleRef',
    },
  ])
})

test('reviews tell who may what and why', async () => {
  const review = async (kind: string, body: object, user?: string): Promise<Answer['json']> =>
    (await post(`/apis/authorization.k8s.io/v1/${kind}`, body, user)).json
  const resourceAttributes = { namespace: 'default', verb: 'get', resource: 'pods' }
  expect(
    (await review('selfsubjectaccessreviews', { spec: { resourceAttributes } }, 'jane')).status,
  ).toEqual({
    allowed: true,
    reason: 'RBAC: allowed by RoleBinding "reader/default" of Role "reader" to User "jane"',
  })
  const spec = { resourceAttributes: { ...resourceAttributes, verb: 'delete' }, user: 'jane' }
  expect((await review('subjectaccessreviews', { spec })).status).toEqual({ allowed: false })
  const local = 'namespaces/default/localsubjectaccessreviews'
  expect((await review(local, { spec })).status).toEqual({ allowed: false })
  expect((await review('subjectaccessreviews', { spec: {} })).code).toBe(422)
  const rules = await review('selfsubjectrulesreviews', { spec: { namespace: 'default' } }, 'jane')
  expect(rules.status.resourceRules).toContainEqual({
    verbs: ['get', 'list'],
    apiGroups: [''],
    resources: ['pods'],
  })
  const self = await post('/apis/authentication.k8s.io/v1/selfsubjectreviews', {}, 'jane')
  expect(self.json.status.userInfo).toEqual({ username: 'jane', groups: ['system:authenticated'] })
})

test('who may change but not create makes nothing by applying it', async () => {
  const role = {
    metadata: { name: 'patcher' },
    rules: [{ verbs: ['patch'], apiGroups: [''], resources: ['configmaps'] }],
  }
  await post(`${rbac}/namespaces/default/roles`, role)
  await post(`${rbac}/namespaces/default/rolebindings`, {
    metadata: { name: 'patcher' },
    roleRef: { kind: 'Role', name: 'patcher' },
    subjects: [{ kind: 'User', name: 'pat' }],
  })
  const path = '/api/v1/namespaces/default/configmaps/new?fieldManager=m'
  const body = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'new' } })
  const headers = { 'content-type': 'application/apply-patch+yaml', 'impersonate-user': 'pat' }
  expect((await api.request('PATCH', path, { body, headers })).json.message).toBe(
    'configmaps "new" is forbidden: User "pat" cannot create resource "configmaps" in API group "" in the namespace "default"',
  )
})

test('impersonation is a right for each part', async () => {
  const ask = async (headers: Record<string, string>): Promise<string> => {
    const answer = await api.request('GET', '/api/v1/namespaces/default/pods', { headers })
    return `${answer.status} ${String(answer.json.message ?? '')}`
  }
  const { certificates } = api.server
  const { signClientCertificate } = await import('../../pki/certificates.ts')
  const admin = certificates.admin
  api.useSession(api.connectAs(await signClientCertificate(certificates.ca, 'joe', [])))
  expect(await ask({ 'impersonate-user': 'jane' })).toBe(
    '403 users "jane" is forbidden: User "joe" cannot impersonate resource "users" in API group "" at the cluster scope',
  )
  api.useSession(api.connectAs(admin))
  expect(await ask({ 'impersonate-user': 'system:serviceaccount:default:x' })).toMatch(/^403 pods/)
  expect(await ask({ 'impersonate-user': 'x', 'impersonate-group': 'system:masters' })).toBe('200 ')
  expect(await ask({ 'impersonate-group': 'g' })).toMatch(/^500/)
})

test('the bootstrap policy is there: admin has what edit has, edit what view has', async () => {
  const policy = bootstrapPolicy()
  const rulesOf = async (name: string): Promise<PolicyRule[]> =>
    (await api.request('GET', `${rbac}/clusterroles/${name}`)).json.rules
  const [admin = [], edit = [], view = []] = await Promise.all(
    ['admin', 'edit', 'view'].map(rulesOf),
  )
  expect(view.length).toBeGreaterThan(5)
  expect(uncoveredRules(edit, view)).toEqual([])
  expect(uncoveredRules(admin, edit)).toEqual([])
  expect(uncoveredRules(view, edit)).not.toEqual([])
  const list = await api.request('GET', `${rbac}/clusterroles`)
  expect(list.json.items.length).toBeGreaterThanOrEqual(policy.clusterRoles.length)
})
