// APIService: who answers for a group version. Without a service it is this server itself.
import { base64SizeBytes } from '../base64.ts'
import { ageColumn, column, nameColumn } from '../columns.ts'
import { ageOf } from '../human-duration.ts'
import {
  dns1035LabelProblems,
  dns1123SubdomainProblems,
  pathSegmentProblems,
  portNumberProblems,
} from '../names.ts'
import type { Condition, FieldError, KubeObject, ResourceType } from '../object.ts'
import { allVerbs, keepStatus } from '../update-rules.ts'
import { invalid, invalidEach, required } from '../validation/field-error.ts'
import { validateMetadata, validateMetadataUpdate } from '../validation/validate-metadata.ts'

export interface ApiServiceReference {
  readonly namespace?: string
  readonly name?: string
  readonly port?: number
}
export interface ApiServiceSpec {
  readonly group?: string
  readonly version?: string
  readonly service?: ApiServiceReference
  /** PEM in base64. */
  readonly caBundle?: string
  readonly insecureSkipTLSVerify?: boolean
  readonly groupPriorityMinimum: number
  readonly versionPriority: number
}
export interface ApiService extends KubeObject {
  readonly spec: ApiServiceSpec
  readonly status: { readonly conditions?: readonly Condition[] }
}

const groupPriorityMax = 20_000
const versionPriorityMax = 1000
const defaultPort = 443

export const apiServiceType: ResourceType<ApiService> = {
  group: 'apiregistration.k8s.io',
  version: 'v1',
  kind: 'APIService',
  plural: 'apiservices',
  singular: 'apiservice',
  shortNames: [],
  categories: ['api-extensions'],
  namespaced: false,
  verbs: allVerbs,
  subresources: { status: true },
  defaults: (object) => {
    const { service } = object.spec
    return service === undefined || service.port !== undefined
      ? object
      : { ...object, spec: { ...object.spec, service: { ...service, port: defaultPort } } }
  },
  prepareForCreate: (object) => {
    const { creationTimestamp = '' } = object.metadata
    const status = object.spec.service === undefined ? localStatus(creationTimestamp) : {}
    return { ...object, status }
  },
  prepareForUpdate: keepStatus,
  validate: (object) => [
    ...validateMetadata(object.metadata, (name) => nameProblems(name, object.spec)),
    ...validateSpec(object.spec),
  ],
  validateUpdate: (object, old) => validateMetadataUpdate(object.metadata, old.metadata),
  columns: [
    nameColumn,
    column('Service', 'The service that answers for the group version.'),
    column('Available', 'Whether it answers.'),
    ageColumn,
  ],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name ?? '',
    spec.service === undefined
      ? 'Local'
      : `${spec.service.namespace ?? ''}/${spec.service.name ?? ''}`,
    availableText(status),
    ageOf(metadata.creationTimestamp, now),
  ],
}

/** `VERSION.GROUP`; `v1.` for the core group. */
export const apiServiceName = (of: {
  readonly group?: string
  readonly version?: string
}): string => `${of.version ?? ''}.${of.group ?? ''}`

export const availableCondition = ({ conditions }: ApiService['status']): Condition | undefined =>
  conditions?.find(({ type }) => type === 'Available')

/** Of what this server answers for itself. `now`: RFC 3339. */
export const localStatus = (now: string): ApiService['status'] => ({
  conditions: [
    {
      type: 'Available',
      status: 'True',
      reason: 'Local',
      message: 'Local APIServices are always available',
      lastTransitionTime: now,
    },
  ],
})

function availableText(status: ApiService['status']): string {
  const condition = availableCondition(status)
  if (condition === undefined) return 'Unknown'
  const { status: is, reason = '' } = condition
  return is === 'True' || reason === '' ? is : `${is} (${reason})`
}

function nameProblems(name: string, spec: ApiServiceSpec): readonly string[] {
  const problems = pathSegmentProblems(name)
  if (problems.length > 0) return problems
  const wanted = apiServiceName(spec)
  return name === wanted
    ? []
    : [`must be \`spec.version+"."+spec.group\`: ${JSON.stringify(wanted)}`]
}

function validateSpec(spec: ApiServiceSpec): FieldError[] {
  const { group = '', version = '', groupPriorityMinimum, versionPriority } = spec
  return [
    ...(group === '' && version !== 'v1'
      ? [required('spec.group', "only v1 may have an empty group and it's for legacy kube")]
      : []),
    ...(group === '' ? [] : invalidEach('spec.group', group, dns1123SubdomainProblems(group))),
    ...invalidEach('spec.version', version, dns1035LabelProblems(version)),
    ...outside('spec.groupPriorityMinimum', groupPriorityMinimum, groupPriorityMax),
    ...outside('spec.versionPriority', versionPriority, versionPriorityMax),
    ...(spec.service === undefined ? validateLocal(spec) : validateRemote(spec, spec.service)),
  ]
}

function outside(field: string, value: number, max: number): FieldError[] {
  return value > 0 && value <= max
    ? []
    : [invalid(field, value, `must be positive and less than ${max}`)]
}

function validateLocal({ caBundle = '', insecureSkipTLSVerify }: ApiServiceSpec): FieldError[] {
  return [
    ...(caBundle === ''
      ? []
      : [
          invalid(
            'spec.caBundle',
            `${base64SizeBytes(caBundle)} bytes`,
            'local APIServices may not have a caBundle',
          ),
        ]),
    ...(insecureSkipTLSVerify === true
      ? [
          invalid(
            'spec.insecureSkipTLSVerify',
            true,
            'local APIServices may not have insecureSkipTLSVerify',
          ),
        ]
      : []),
  ]
}

function validateRemote(spec: ApiServiceSpec, service: ApiServiceReference): FieldError[] {
  const field = 'spec.service'
  const { port = defaultPort } = service
  return [
    ...((service.namespace ?? '') === '' ? [required(`${field}.namespace`)] : []),
    ...((service.name ?? '') === '' ? [required(`${field}.name`)] : []),
    ...portNumberProblems(port).map((problem) =>
      invalid(`${field}.port`, port, `port is not valid: ${problem}`),
    ),
    ...(spec.insecureSkipTLSVerify === true && (spec.caBundle ?? '') !== ''
      ? [invalid('spec.insecureSkipTLSVerify', true, 'may not be true if caBundle is present')]
      : []),
  ]
}
