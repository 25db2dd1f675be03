// NetworkPolicy: which traffic pods may have. It is kept and validated; what enforces it is a network plugin's business.
import { ageColumn, column, nameColumn } from '../columns.ts'
import { ageOf } from '../human-duration.ts'
import { networkContains, parseCidr } from '../ip-address.ts'
import { dns1123SubdomainProblems, portNameProblems, portNumberProblems } from '../names.ts'
import type { FieldError, KubeObject, LabelSelector, ResourceType } from '../object.ts'
import { selectorText } from '../pod-spec/template-cells.ts'
import { allVerbs, prepareSpecUpdate, withFirstGeneration } from '../update-rules.ts'
import {
  forbidden,
  invalid,
  invalidEach,
  notSupported,
  required,
} from '../validation/field-error.ts'
import { validateLabelSelector } from '../validation/validate-label-selector.ts'
import { validateMetadata, validateMetadataUpdate } from '../validation/validate-metadata.ts'

interface NetworkPolicyPort {
  readonly protocol?: string
  readonly port?: number | string
  readonly endPort?: number
}
interface NetworkPolicyPeer {
  readonly podSelector?: LabelSelector
  readonly namespaceSelector?: LabelSelector
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] }
}
interface NetworkPolicyRule {
  readonly ports?: readonly NetworkPolicyPort[]
  readonly from?: readonly NetworkPolicyPeer[]
  readonly to?: readonly NetworkPolicyPeer[]
}
export interface NetworkPolicy extends KubeObject {
  readonly spec: {
    readonly podSelector?: LabelSelector
    readonly ingress?: readonly NetworkPolicyRule[]
    readonly egress?: readonly NetworkPolicyRule[]
    readonly policyTypes?: readonly string[]
  }
}

const protocols = ['SCTP', 'TCP', 'UDP']
const policyTypes = ['Egress', 'Ingress']

export const networkPolicyType: ResourceType<NetworkPolicy> = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'NetworkPolicy',
  plural: 'networkpolicies',
  singular: 'networkpolicy',
  shortNames: ['netpol'],
  categories: [],
  namespaced: true,
  verbs: allVerbs,
  subresources: {},
  defaults: networkPolicyDefaults,
  prepareForCreate: withFirstGeneration,
  prepareForUpdate: prepareSpecUpdate,
  validate: ({ metadata, spec }) => [
    ...validateMetadata(metadata, dns1123SubdomainProblems),
    ...validateLabelSelector('spec.podSelector', spec.podSelector ?? {}),
    ...(spec.ingress ?? []).flatMap((rule, index) =>
      validateRule(rule, `spec.ingress[${index}]`, 'from'),
    ),
    ...(spec.egress ?? []).flatMap((rule, index) =>
      validateRule(rule, `spec.egress[${index}]`, 'to'),
    ),
    ...validatePolicyTypes(spec.policyTypes ?? []),
  ],
  validateUpdate: (object, old) => validateMetadataUpdate(object.metadata, old.metadata),
  columns: [nameColumn, column('Pod-Selector', 'The pods it is about.'), ageColumn],
  cells: ({ metadata, spec }, now) => [
    metadata.name ?? '',
    selectorText(spec.podSelector),
    ageOf(metadata.creationTimestamp, now),
  ],
}

function networkPolicyDefaults(object: NetworkPolicy): NetworkPolicy {
  const { spec } = object
  const withProtocol = (rules: readonly NetworkPolicyRule[]): NetworkPolicyRule[] =>
    rules.map((rule) =>
      rule.ports === undefined
        ? rule
        : { ...rule, ports: rule.ports.map((port) => ({ protocol: 'TCP', ...port })) },
    )
  const types = spec.egress === undefined ? ['Ingress'] : ['Ingress', 'Egress']
  return {
    ...object,
    spec: {
      policyTypes: types,
      ...spec,
      ...(spec.ingress === undefined ? {} : { ingress: withProtocol(spec.ingress) }),
      ...(spec.egress === undefined ? {} : { egress: withProtocol(spec.egress) }),
    },
  }
}

function validatePolicyTypes(types: readonly string[]): FieldError[] {
  if (types.length > policyTypes.length) {
    return [invalid('spec.policyTypes', types, 'may not specify more than two policyTypes')]
  }
  return types.flatMap((type, index) =>
    policyTypes.includes(type)
      ? []
      : [notSupported(`spec.policyTypes[${index}]`, type, policyTypes)],
  )
}

function validateRule(rule: NetworkPolicyRule, path: string, peers: 'from' | 'to'): FieldError[] {
  return [
    ...(rule.ports ?? []).flatMap((port, index) => validatePort(port, `${path}.ports[${index}]`)),
    ...(rule[peers] ?? []).flatMap((peer, index) =>
      validatePeer(peer, `${path}.${peers}[${index}]`),
    ),
  ]
}

function validatePort({ protocol, port, endPort }: NetworkPolicyPort, path: string): FieldError[] {
  const isProtocol = protocol === undefined || protocols.includes(protocol)
  const problems =
    port === undefined
      ? []
      : typeof port === 'number'
        ? portNumberProblems(port)
        : portNameProblems(port)
  return [
    ...(isProtocol ? [] : [notSupported(`${path}.protocol`, protocol, protocols)]),
    ...invalidEach(`${path}.port`, port, problems),
    ...(endPort === undefined ? [] : validateEndPort(endPort, port, `${path}.endPort`)),
  ]
}

function validateEndPort(
  endPort: number,
  port: number | string | undefined,
  field: string,
): FieldError[] {
  if (port === undefined) {
    return [invalid(field, endPort, 'may not be specified when `port` is not specified')]
  }
  if (typeof port === 'string') {
    return [invalid(field, endPort, 'may not be specified when `port` is non-numeric')]
  }
  return [
    ...(endPort < port ? [invalid(field, endPort, 'must be greater than or equal to `port`')] : []),
    ...invalidEach(field, endPort, portNumberProblems(endPort)),
  ]
}

function validatePeer(peer: NetworkPolicyPeer, path: string): FieldError[] {
  const { podSelector, namespaceSelector, ipBlock } = peer
  const hasSelector = podSelector !== undefined || namespaceSelector !== undefined
  return [
    ...validateLabelSelector(`${path}.podSelector`, podSelector ?? {}),
    ...validateLabelSelector(`${path}.namespaceSelector`, namespaceSelector ?? {}),
    ...(ipBlock === undefined ? [] : validateIpBlock(ipBlock, `${path}.ipBlock`)),
    ...(hasSelector || ipBlock !== undefined ? [] : [required(path, 'must specify a peer')]),
    ...(hasSelector && ipBlock !== undefined
      ? [forbidden(path, 'may not specify both ipBlock and another peer')]
      : []),
  ]
}

function validateIpBlock(
  { cidr, except = [] }: NonNullable<NetworkPolicyPeer['ipBlock']>,
  path: string,
): FieldError[] {
  if (cidr === '') return [required(`${path}.cidr`)]
  const network = parseCidr(cidr)
  if (network === undefined) return [invalid(`${path}.cidr`, cidr, 'not a valid CIDR')]
  return except.flatMap((text, index) => {
    const field = `${path}.except[${index}]`
    const part = parseCidr(text)
    if (part === undefined) return [invalid(field, text, 'not a valid CIDR')]
    return networkContains(network, part.address) && network.prefix < part.prefix
      ? []
      : [invalid(field, text, 'must be a strict subset of `cidr`')]
  })
}
