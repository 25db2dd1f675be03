// ServiceCIDR and IPAddress: the networks that services have addresses of, and who has which.
import { ageColumn, column, nameColumn } from '../columns.ts'
import { ageOf } from '../human-duration.ts'
import { formatIp, parseCidr, parseIp } from '../ip-address.ts'
import { jsonEqual } from '../json-equal.ts'
import { dns1123SubdomainProblems } from '../names.ts'
import type { Condition, FieldError, KubeObject, ResourceType } from '../object.ts'
import { allVerbs, prepareSpecUpdate, withFirstGeneration } from '../update-rules.ts'
import { invalid, required } from '../validation/field-error.ts'
import { validateMetadata, validateMetadataUpdate } from '../validation/validate-metadata.ts'

export interface ServiceCidr extends KubeObject {
  readonly spec?: { readonly cidrs?: readonly string[] }
  readonly status?: { readonly conditions?: readonly Condition[] }
}
export interface IpAddressObject extends KubeObject {
  readonly spec?: {
    readonly parentRef?: {
      readonly group?: string
      readonly resource: string
      readonly namespace?: string
      readonly name: string
    }
  }
}

const cidrsField = 'spec.cidrs'
const parentField = 'spec.parentRef'

export const serviceCidrType: ResourceType<ServiceCidr> = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'ServiceCIDR',
  plural: 'servicecidrs',
  singular: 'servicecidr',
  shortNames: [],
  categories: [],
  namespaced: false,
  verbs: allVerbs,
  subresources: { status: true },
  defaults: (object) => object,
  prepareForCreate: (object) => {
    const { status: _status, ...rest } = withFirstGeneration(object)
    return { ...rest, status: {} }
  },
  prepareForUpdate: prepareSpecUpdate,
  validate: ({ metadata, spec }) => [
    ...validateMetadata(metadata, dns1123SubdomainProblems),
    ...validateCidrs(spec?.cidrs ?? []),
  ],
  validateUpdate: (object, old) => [
    ...validateMetadataUpdate(object.metadata, old.metadata),
    ...validateSameCidrs(object.spec?.cidrs ?? [], old.spec?.cidrs ?? []),
  ],
  columns: [nameColumn, column('CIDRs', 'The networks.'), ageColumn],
  cells: ({ metadata, spec }, now) => [
    metadata.name ?? '',
    (spec?.cidrs ?? []).join(','),
    ageOf(metadata.creationTimestamp, now),
  ],
}

const validateCidrs = (cidrs: readonly string[]): FieldError[] => {
  if (cidrs.length === 0) return [required(cidrsField, 'at least one CIDR required')]
  if (cidrs.length > 2) return [invalid(cidrsField, cidrs, 'may only hold up to 2 values')]
  const networks = cidrs.map((text) => parseCidr(text))
  const [first, second] = networks
  if (first !== undefined && first.address.family === second?.address.family) {
    return [
      invalid(
        cidrsField,
        cidrs,
        'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/96',
      ),
    ]
  }
  return networks.flatMap((network, index) => {
    const text = cidrs[index] ?? ''
    const field = `${cidrsField}[${index}]`
    const what = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'
    return network === undefined ? [invalid(field, text, what)] : []
  })
}

/** A second family may be added, nothing else changed. */
const validateSameCidrs = (cidrs: readonly string[], old: readonly string[]): FieldError[] => {
  const isSame = jsonEqual(cidrs.slice(0, old.length), old)
  return isSame && (old.length === cidrs.length || old.length === 1)
    ? []
    : [invalid(cidrsField, cidrs, 'field is immutable')]
}

export const ipAddressType: ResourceType<IpAddressObject> = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IPAddress',
  plural: 'ipaddresses',
  singular: 'ipaddress',
  shortNames: ['ip'],
  categories: [],
  namespaced: false,
  verbs: allVerbs,
  subresources: {},
  defaults: (object) => object,
  prepareForCreate: withFirstGeneration,
  prepareForUpdate: prepareSpecUpdate,
  validate: ({ metadata, spec }) => [
    ...validateMetadata(metadata, addressProblems),
    ...validateParent(spec?.parentRef),
  ],
  validateUpdate: (object, old) => [
    ...validateMetadataUpdate(object.metadata, old.metadata),
    ...(jsonEqual(object.spec?.parentRef ?? null, old.spec?.parentRef ?? null)
      ? []
      : [invalid(parentField, object.spec?.parentRef ?? null, 'field is immutable')]),
  ],
  columns: [nameColumn, column('ParentRef', 'Whose address it is.'), ageColumn],
  cells: ({ metadata, spec }, now) => [
    metadata.name ?? '',
    parentText(spec?.parentRef),
    ageOf(metadata.creationTimestamp, now),
  ],
  selectableFields: ({ spec }) => ({
    'spec.parentRef.group': spec?.parentRef?.group ?? '',
    'spec.parentRef.resource': spec?.parentRef?.resource ?? '',
    'spec.parentRef.namespace': spec?.parentRef?.namespace ?? '',
    'spec.parentRef.name': spec?.parentRef?.name ?? '',
  }),
}

type ParentReference = NonNullable<IpAddressObject['spec']>['parentRef']

/** The name is the address, in its one right form. */
const addressProblems = (name: string): string[] => {
  const address = parseIp(name)
  if (address === undefined)
    return ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']
  const canonical = formatIp(address)
  return canonical === name ? [] : [`must be in canonical form (${JSON.stringify(canonical)})`]
}

const validateParent = (parent: ParentReference): FieldError[] => {
  if (parent === undefined) return [required(parentField)]
  return [
    ...(parent.resource === '' ? [required(`${parentField}.resource`)] : []),
    ...(parent.name === '' ? [required(`${parentField}.name`)] : []),
  ]
}

const parentText = (parent: ParentReference): string => {
  if (parent === undefined) return '<none>'
  const { group = '', resource, namespace = '', name } = parent
  const qualified = group === '' ? resource : `${resource}.${group}`
  return [qualified.toLowerCase(), ...(namespace === '' ? [] : [namespace]), name].join('/')
}
