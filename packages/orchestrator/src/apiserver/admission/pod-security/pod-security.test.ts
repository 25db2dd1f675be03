import { afterAll, beforeAll, expect, test } from 'vitest'
import { ApiFixture, type Answer } from '../../testing/api-fixture.ts'
import type { PodSpec } from '../../../resources/pod-spec/pod-spec.ts'
import { podSecurityProblems } from './pod-checks.ts'

const container = (securityContext: object = {}, more: object = {}): object => ({
  name: 'c',
  image: 'i',
  securityContext,
  ...more,
})
const spec = (more: object): PodSpec => ({ containers: [container()], ...more }) as never
const hardened = container({
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
})

test.each<[string, object, string | undefined]>([
  ['nothing asked', {}, undefined],
  [
    'the host',
    { hostNetwork: true, hostPID: true },
    'host namespaces (hostNetwork=true, hostPID=true)',
  ],
  [
    'a privileged container',
    { containers: [container({ privileged: true })] },
    'privileged (container "c" must not set securityContext.privileged=true)',
  ],
  [
    'more capabilities',
    { containers: [container({ capabilities: { add: ['NET_ADMIN', 'CHOWN'] } })] },
    'non-default capabilities (container "c" must not include "NET_ADMIN" in securityContext.capabilities.add)',
  ],
  [
    'paths of the host',
    { volumes: [{ name: 'v', hostPath: { path: '/' } }] },
    'hostPath volumes (volume "v")',
  ],
  [
    'ports of the host',
    { containers: [container({}, { ports: [{ containerPort: 1, hostPort: 80 }] })] },
    'hostPort (container "c" uses hostPort 80)',
  ],
  [
    'no seccomp',
    { securityContext: { seccompProfile: { type: 'Unconfined' } } },
    'seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")',
  ],
  [
    'settings of the kernel',
    { securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } },
    'forbidden sysctls (kernel.msgmax)',
  ],
])('baseline, a pod with %s', (_name, more, expected) => {
  expect(podSecurityProblems('baseline', spec(more))).toEqual(
    expected === undefined ? [] : [expected],
  )
  expect(podSecurityProblems('privileged', spec(more))).toEqual([])
})

test('restricted asks for a hardened pod', () => {
  expect(podSecurityProblems('restricted', spec({}))).toEqual([
    'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false)',
    'unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"])',
    'runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true)',
    'seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
  ])
  expect(podSecurityProblems('restricted', spec({ containers: [hardened] }))).toEqual([])
  const volumes = [{ name: 'v', nfs: {} }]
  expect(podSecurityProblems('restricted', spec({ containers: [hardened], volumes }))).toEqual([
    'restricted volume types (volume "v" uses restricted volume type "nfs")',
  ])
})

let api: ApiFixture
beforeAll(async () => {
  api = await ApiFixture.start()
})
afterAll(async () => {
  await api.close()
})

test('a namespace refuses what breaks its level and warns of what breaks another', async () => {
  const namespace = async (labels: object): Promise<Answer> =>
    api.request('POST', '/api/v1/namespaces', { body: { metadata: { name: 'n', labels } } })
  const refused = await namespace({ 'pod-security.kubernetes.io/enforce': 'strict' })
  expect(refused.json.message).toBe(
    'Namespace "n" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": must be one of privileged, baseline, restricted',
  )
  await namespace({
    'pod-security.kubernetes.io/enforce': 'baseline',
    'pod-security.kubernetes.io/warn': 'restricted',
  })
  const pods = '/api/v1/namespaces/n/pods'
  const post = async (name: string, more: object): Promise<Answer> =>
    api.request('POST', pods, { body: { metadata: { name }, spec: spec(more) } })
  expect((await post('a', { hostNetwork: true })).json.message).toBe(
    'pods "a" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)',
  )
  const warned = await post('b', {})
  expect(warned.status).toBe(201)
  expect(warned.headers['warning']).toMatch(
    /^299 - "would violate PodSecurity \\"restricted:latest\\"/,
  )
})
