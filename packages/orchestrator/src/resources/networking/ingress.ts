// Ingress: which hosts and paths of HTTP lead to which services. A controller of its class answers for it.
import { ageColumn, column, nameColumn, orNone } from '../columns.ts'
import { ageOf } from '../human-duration.ts'
import { dns1123SubdomainProblems } from '../names.ts'
import type { KubeObject, ResourceType } from '../object.ts'
import { allVerbs, prepareSpecUpdate, withFirstGeneration } from '../update-rules.ts'
import { invalid } from '../validation/field-error.ts'
import { validateMetadata, validateMetadataUpdate } from '../validation/validate-metadata.ts'
import { validateIngressSpec } from './validate-ingress.ts'

export interface IngressBackend {
  readonly service?: {
    readonly name: string
    readonly port?: { readonly name?: string; readonly number?: number }
  }
  readonly resource?: TypedReference
}
export interface TypedReference {
  readonly apiGroup?: string
  readonly kind: string
  readonly name: string
}
export interface IngressPath {
  readonly path?: string
  readonly pathType?: string
  readonly backend: IngressBackend
}
export interface IngressRule {
  readonly host?: string
  readonly http?: { readonly paths: readonly IngressPath[] }
}
export interface IngressSpec {
  readonly ingressClassName?: string
  readonly defaultBackend?: IngressBackend
  readonly tls?: readonly { readonly hosts?: readonly string[]; readonly secretName?: string }[]
  readonly rules?: readonly IngressRule[]
}
export interface Ingress extends KubeObject {
  readonly spec: IngressSpec
  readonly status: {
    readonly loadBalancer: {
      readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[]
    }
  }
}

const classAnnotation = 'kubernetes.io/ingress.class'
const hostsShownMax = 3

export const ingressType: ResourceType<Ingress> = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  plural: 'ingresses',
  singular: 'ingress',
  shortNames: ['ing'],
  categories: [],
  namespaced: true,
  verbs: allVerbs,
  subresources: { status: true },
  defaults: (object) => object,
  prepareForCreate: (object) => ({ ...withFirstGeneration(object), status: { loadBalancer: {} } }),
  prepareForUpdate: prepareSpecUpdate,
  validate: (object) => [
    ...validateMetadata(object.metadata, dns1123SubdomainProblems),
    ...validateIngressSpec(object.spec),
    ...validateClass(object),
  ],
  validateUpdate: (object, old) => validateMetadataUpdate(object.metadata, old.metadata),
  columns: [
    nameColumn,
    column('Class', 'The class of the ingress, which says who serves it.'),
    column('Hosts', 'The hosts whose requests it directs.'),
    column('Address', 'Where the load balancer is.'),
    column('Ports', 'The ports that are open.'),
    ageColumn,
  ],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name ?? '',
    orNone(spec.ingressClassName),
    hostsText(spec.rules ?? []),
    (status.loadBalancer.ingress ?? [])
      .map(({ ip, hostname }) => ip ?? hostname ?? '')
      .filter((address) => address !== '')
      .join(','),
    (spec.tls ?? []).length > 0 ? '80, 443' : '80',
    ageOf(metadata.creationTimestamp, now),
  ],
}

function hostsText(rules: readonly IngressRule[]): string {
  const hosts = rules.flatMap(({ host }) => (host === undefined ? [] : [host]))
  if (hosts.length === 0) return '*'
  const shown = hosts.slice(0, hostsShownMax).join(',')
  return hosts.length > hostsShownMax ? `${shown} + ${rules.length - hostsShownMax} more...` : shown
}

function validateClass({ metadata, spec }: Ingress): ReturnType<typeof validateIngressSpec> {
  const annotation = metadata.annotations?.[classAnnotation]
  // Objects that were stored with both have a generation past the first; only new ones are refused.
  return annotation === undefined ||
    spec.ingressClassName === undefined ||
    metadata.generation !== 1
    ? []
    : [
        invalid(
          `annotations.${classAnnotation}`,
          annotation,
          'can not be set when the class field is also set',
        ),
      ]
}
