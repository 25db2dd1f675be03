// IngressClass: a name for a controller that serves ingresses, and its settings.
import { ageColumn, column, nameColumn } from '../columns.ts'
import { ageOf } from '../human-duration.ts'
import { dns1123SubdomainProblems } from '../names.ts'
import type { FieldError, KubeObject, ResourceType } from '../object.ts'
import { allVerbs, prepareSpecUpdate, withFirstGeneration } from '../update-rules.ts'
import { invalid, notSupported, required, tooLong } from '../validation/field-error.ts'
import { validateMetadata, validateMetadataUpdate } from '../validation/validate-metadata.ts'
import type { TypedReference } from './ingress.ts'
import { validateTypedReference } from './validate-ingress.ts'

export interface IngressClass extends KubeObject {
  readonly spec: {
    readonly controller?: string
    readonly parameters?: TypedReference & {
      readonly scope?: string
      readonly namespace?: string
    }
  }
}

const controllerLengthMax = 250
const path = 'spec.parameters'

export const ingressClassType: ResourceType<IngressClass> = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IngressClass',
  plural: 'ingressclasses',
  singular: 'ingressclass',
  shortNames: [],
  categories: [],
  namespaced: false,
  verbs: allVerbs,
  subresources: {},
  defaults: (object) => {
    const { parameters } = object.spec
    return parameters === undefined || parameters.scope !== undefined
      ? object
      : { ...object, spec: { ...object.spec, parameters: { ...parameters, scope: 'Cluster' } } }
  },
  prepareForCreate: withFirstGeneration,
  prepareForUpdate: prepareSpecUpdate,
  validate: (object) => [
    ...validateMetadata(object.metadata, dns1123SubdomainProblems),
    ...validateController(object.spec.controller ?? ''),
    ...validateParameters(object.spec.parameters),
  ],
  validateUpdate: (object, old) => [
    ...validateMetadataUpdate(object.metadata, old.metadata),
    ...(object.spec.controller === old.spec.controller
      ? []
      : [invalid('spec.controller', object.spec.controller, 'field is immutable')]),
  ],
  columns: [
    nameColumn,
    column('Controller', 'The controller that serves ingresses of the class.'),
    column('Parameters', 'The object that holds its settings.'),
    ageColumn,
  ],
  cells: ({ metadata, spec }, now) => [
    metadata.name ?? '',
    spec.controller ?? '',
    parametersText(spec.parameters),
    ageOf(metadata.creationTimestamp, now),
  ],
}

function parametersText(parameters: TypedReference | undefined): string {
  if (parameters === undefined) return '<none>'
  const group = parameters.apiGroup === undefined ? '' : `.${parameters.apiGroup}`
  return `${parameters.kind}${group}/${parameters.name}`
}

function validateController(controller: string): FieldError[] {
  const field = 'spec.controller'
  if (controller === '') return [required(field)]
  if (controller.length > controllerLengthMax) return [tooLong(field, controllerLengthMax)]
  const slash = controller.indexOf('/')
  const domain = controller.slice(0, Math.max(0, slash))
  const name = controller.slice(slash + 1)
  if (domain === '' || name === '') {
    return [invalid(field, controller, 'must be a domain-prefixed path (such as "acme.io/foo")')]
  }
  return dns1123SubdomainProblems(domain).map((problem) => invalid(field, domain, problem))
}

function validateParameters(parameters: IngressClass['spec']['parameters']): FieldError[] {
  if (parameters === undefined) return []
  const { scope = '', namespace = '' } = parameters
  return [
    ...validateTypedReference(parameters, path),
    ...(scope === 'Cluster' || scope === 'Namespace'
      ? []
      : [notSupported(`${path}.scope`, scope, ['Cluster', 'Namespace'])]),
    ...(scope === 'Namespace' && namespace === ''
      ? [required(`${path}.namespace`, "`parameters.scope` is set to 'Namespace'")]
      : []),
    ...(scope === 'Cluster' && namespace !== ''
      ? [invalid(`${path}.namespace`, namespace, "`parameters.scope` is set to 'Cluster'")]
      : []),
  ]
}
