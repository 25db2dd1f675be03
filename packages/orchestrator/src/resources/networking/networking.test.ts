// The rules, defaults and columns of the networking kinds, one wrong field at a time: upstream's path and words.
import { expect, test } from 'vitest'
import type { Json, KubeObject, ResourceType } from '../object.ts'
import { applyJsonMergePatch } from '../patch/json-merge-patch.ts'
import { decodeObject } from '../schema/decode-object.ts'
import { ingressClassType } from './ingress-class.ts'
import { ingressType } from './ingress.ts'
import { networkPolicyType } from './network-policy.ts'
import { ipAddressType, serviceCidrType } from './service-cidr.ts'

const valid: Record<string, Json> = {
  Ingress: { spec: { defaultBackend: { service: { name: 'web', port: { number: 80 } } } } },
  IngressClass: { spec: { controller: 'example.com/ingress' } },
  NetworkPolicy: { spec: { podSelector: {} } },
}
const made = <T extends KubeObject>(type: ResourceType<T>, change: Json): T => {
  const patched = applyJsonMergePatch(
    { metadata: { name: 'x' }, ...(valid[type.kind] as object) } as Json,
    change,
  )
  const decoded = decodeObject(type, patched.ok ? patched.value : null)
  if (!decoded.ok) throw new Error(decoded.message)
  const defaulted = type.defaults(decoded.object)
  return type.prepareForCreate?.(defaulted) ?? defaulted
}
const problems = <T extends KubeObject>(type: ResourceType<T>, change: Json): string[] =>
  type.validate(made(type, change)).map(({ field, message }) => `${field}: ${message}`)

const service = { service: { name: 'web', port: { number: 80 } } }
const path = (one: { readonly [key: string]: Json }): Json => ({
  spec: {
    rules: [{ http: { paths: [{ pathType: 'Prefix', path: '/', backend: service, ...one }] } }],
  },
})
const at = 'spec.rules[0].http.paths[0]'

test.each<[Json, string]>([
  [
    { spec: { defaultBackend: null } },
    'spec: Invalid value: null: either `defaultBackend` or `rules` must be specified',
  ],
  [
    { spec: { rules: [{ host: '10.0.0.1' }] } },
    'spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address',
  ],
  [
    { spec: { rules: [{ host: 'a.*.b' }] } },
    'spec.rules[0].host: Invalid value: "a.*.b": a wildcard DNS-1123 subdomain must start with \'*.\'',
  ],
  [{ spec: { rules: [{ http: { paths: [] } }] } }, 'spec.rules[0].http.paths: Required value'],
  [path({ pathType: null }), `${at}.pathType: Required value: pathType must be specified`],
  [
    path({ pathType: 'Regex' }),
    `${at}.pathType: Unsupported value: "Regex": supported values: "Exact", "ImplementationSpecific", "Prefix"`,
  ],
  [path({ path: 'a' }), `${at}.path: Invalid value: "a": must be an absolute path`],
  [path({ path: '/a//b' }), `${at}.path: Invalid value: "/a//b": must not contain '//'`],
  [path({ path: '/a/..' }), `${at}.path: Invalid value: "/a/..": cannot end with '/..'`],
  [
    path({ backend: {} }),
    `${at}.backend: Invalid value: "": resource or service backend is required`,
  ],
  [
    path({ backend: { service: { name: 'web' } } }),
    `${at}.backend: Required value: port name or number is required`,
  ],
  [
    path({ backend: { service: { name: 'web', port: { number: 70_000 } } } }),
    `${at}.backend.service.port.number: Invalid value: 70000: must be between 1 and 65535, inclusive`,
  ],
  [
    path({ backend: { ...service, resource: { kind: 'A', name: 'b' } } }),
    `${at}.backend: Invalid value: "": cannot set both resource and service backends`,
  ],
  [
    { spec: { tls: [{ secretName: 'A' }] } },
    'spec.tls[0].secretName: Invalid value: "A": a lowercase RFC 1123 subdomain',
  ],
  [
    {
      metadata: { annotations: { 'kubernetes.io/ingress.class': 'a' } },
      spec: { ingressClassName: 'b' },
    },
    'annotations.kubernetes.io/ingress.class: Invalid value: "a": can not be set when the class field is also set',
  ],
])('ingress %j', (change, text) => {
  expect(problems(ingressType, change).join('\n')).toContain(text)
})

const peer = (one: Json): Json => ({ spec: { ingress: [{ from: [one] }] } })
const port = (one: Json): Json => ({ spec: { egress: [{ ports: [one] }] } })

test.each<[Json, string]>([
  [peer({}), 'spec.ingress[0].from[0]: Required value: must specify a peer'],
  [
    peer({ podSelector: {}, ipBlock: { cidr: '10.0.0.0/8' } }),
    'spec.ingress[0].from[0]: Forbidden: may not specify both ipBlock and another peer',
  ],
  [
    peer({ ipBlock: { cidr: '10.0.0.0' } }),
    'spec.ingress[0].from[0].ipBlock.cidr: Invalid value: "10.0.0.0": not a valid CIDR',
  ],
  [
    peer({ ipBlock: { cidr: '10.0.0.0/8', except: ['11.0.0.0/16'] } }),
    'spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`',
  ],
  [
    port({ protocol: 'ICMP' }),
    'spec.egress[0].ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"',
  ],
  [
    port({ port: 80, endPort: 70 }),
    'spec.egress[0].ports[0].endPort: Invalid value: 70: must be greater than or equal to `port`',
  ],
  [
    { spec: { policyTypes: ['Both'] } },
    'spec.policyTypes[0]: Unsupported value: "Both": supported values: "Egress", "Ingress"',
  ],
])('network policy %j', (change, text) => {
  expect(problems(networkPolicyType, change)).toEqual([text])
})

test.each<[Json, string]>([
  [{ spec: { controller: null } }, 'spec.controller: Required value'],
  [
    { spec: { controller: 'nginx' } },
    'spec.controller: Invalid value: "nginx": must be a domain-prefixed path (such as "acme.io/foo")',
  ],
  [
    { spec: { parameters: { kind: 'A', name: 'b', scope: 'Namespace' } } },
    "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'",
  ],
])('ingress class %j', (change, text) => {
  expect(problems(ingressClassType, change)).toEqual([text])
})

test('a network policy is about what it names, and ports are TCP', () => {
  const { spec } = made(networkPolicyType, { spec: { egress: [{ ports: [{ port: 53 }] }] } })
  expect(spec.policyTypes).toEqual(['Ingress', 'Egress'])
  expect(spec.egress?.[0]?.ports).toEqual([{ port: 53, protocol: 'TCP' }])
})

test('an ingress shows three hosts at most, its class and its ports', () => {
  const hosts = ['a.x', 'b.x', 'c.x', 'd.x', 'e.x']
  const ingress = made(ingressType, {
    spec: { rules: hosts.map((host) => ({ host })), tls: [{ hosts }], ingressClassName: 'fast' },
  })
  expect(ingressType.cells(ingress, 0).slice(0, 5)).toEqual([
    'x',
    'fast',
    'a.x,b.x,c.x + 2 more...',
    '',
    '80, 443',
  ])
  expect(ingressType.cells(made(ingressType, {}), 0).slice(1, 5)).toEqual(['<none>', '*', '', '80'])
})

test('the class of a parameter object is shown with its group', () => {
  const parameters = { apiGroup: 'k8s.example.com', kind: 'IngressParameters', name: 'lb' }
  const object = made(ingressClassType, { spec: { parameters } })
  expect(ingressClassType.cells(object, 0)[2]).toBe('IngressParameters.k8s.example.com/lb')
})

const cidrs = (...list: readonly string[]): Json => ({ spec: { cidrs: list } })
const parentRef = { group: 'Apps.io', resource: 'gateways', namespace: 'a', name: 'g' }

test.each<[Json, string]>([
  [cidrs(), 'spec.cidrs: Required value: at least one CIDR required'],
  [cidrs('1', '2', '3'), 'spec.cidrs: Invalid value: ["1","2","3"]: may only hold up to 2 values'],
  [
    cidrs('10.0.0.0/33'),
    'spec.cidrs[0]: Invalid value: "10.0.0.0/33": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
  ],
  [
    cidrs('10.0.0.0/8', '10.1.0.0/16'),
    'spec.cidrs: Invalid value: ["10.0.0.0/8","10.1.0.0/16"]: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/96',
  ],
])('a ServiceCIDR with %j is refused', (change, problem) => {
  expect(problems(serviceCidrType, change)).toEqual([problem])
})

test('a ServiceCIDR may get its second family and nothing else', () => {
  const one = made(serviceCidrType, cidrs('10.0.0.0/8')) as never
  const both = made(serviceCidrType, cidrs('10.0.0.0/8', 'fd00::/64')) as never
  expect(serviceCidrType.validateUpdate?.(both, one)).toEqual([])
  expect(serviceCidrType.validateUpdate?.(one, both)).toHaveLength(1)
  expect(serviceCidrType.cells(both, Date.now())).toContain('10.0.0.0/8,fd00::/64')
})

test('an IPAddress is named as it is written, and has a parent that stays', () => {
  const of = (name: string, spec: Json = { parentRef }): Json => ({ metadata: { name }, spec })
  expect(problems(ipAddressType, of('10.0.0.1'))).toEqual([])
  expect(problems(ipAddressType, of('FD00::1'))).toEqual([
    'metadata.name: Invalid value: "FD00::1": must be in canonical form ("fd00::1")',
  ])
  expect(problems(ipAddressType, of('web'))).toHaveLength(1)
  expect(problems(ipAddressType, of('10.0.0.1', {}))).toEqual(['spec.parentRef: Required value'])
  const address = made(ipAddressType, of('10.0.0.1')) as never
  const other = made(ipAddressType, of('10.0.0.1', { parentRef: { ...parentRef, name: 'h' } }))
  expect(ipAddressType.validateUpdate?.(other, address)).toHaveLength(1)
  expect(ipAddressType.cells(address, Date.now())).toContain('gateways.apps.io/a/g')
})
