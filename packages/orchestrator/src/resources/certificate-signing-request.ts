// CertificateSigningRequest: somebody asks for a certificate, somebody who may approves it, and a signer issues it.
import { ageColumn, column, nameColumn } from './columns.ts'
import { ageOf } from './human-duration.ts'
import { jsonEqual } from './json-equal.ts'
import { dns1123SubdomainProblems } from './names.ts'
import type { Condition, FieldError, KubeObject, ResourceType } from './object.ts'
import { allVerbs, keepStatus } from './update-rules.ts'
import { forbidden, invalid, required } from './validation/field-error.ts'
import { validateMetadata, validateMetadataUpdate } from './validation/validate-metadata.ts'

export interface CertificateSigningRequest extends KubeObject {
  readonly spec: {
    /** PKCS#10 as PEM, in base64. */
    readonly request: string
    readonly signerName: string
    readonly usages?: readonly string[]
    readonly expirationSeconds?: number
    /** Who asked: set by the apiserver. */
    readonly username?: string
    readonly uid?: string
    readonly groups?: readonly string[]
    readonly extra?: Readonly<Record<string, readonly string[]>>
  }
  readonly status: {
    readonly conditions?: readonly Condition[]
    /** PEM, in base64. */
    readonly certificate?: string
  }
}

const expirationSecondsMin = 600

export const certificateSigningRequestType: ResourceType<CertificateSigningRequest> = {
  group: 'certificates.k8s.io',
  version: 'v1',
  kind: 'CertificateSigningRequest',
  plural: 'certificatesigningrequests',
  singular: 'certificatesigningrequest',
  shortNames: ['csr'],
  categories: [],
  namespaced: false,
  verbs: allVerbs,
  subresources: { status: true },
  defaults: (object) => object,
  prepareForCreate: (object) => ({ ...object, status: {} }),
  prepareForUpdate: keepStatus,
  validate: (object) => [
    ...validateMetadata(object.metadata, dns1123SubdomainProblems),
    ...validateSpec(object.spec),
  ],
  validateUpdate: (object, old) => [
    ...validateMetadataUpdate(object.metadata, old.metadata),
    ...(jsonEqual(object.spec, old.spec)
      ? []
      : [forbidden('spec', 'updates to certificate signing request spec are forbidden')]),
  ],
  columns: [
    nameColumn,
    ageColumn,
    column('SignerName', 'Who issues the certificate.'),
    column('Requestor', 'Who asked for it.'),
    column('Condition', 'What became of it.'),
  ],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name ?? '',
    ageOf(metadata.creationTimestamp, now),
    spec.signerName,
    spec.username ?? '',
    conditionText(status),
  ],
  selectableFields: ({ spec }) => ({ 'spec.signerName': spec.signerName }),
}

export const hasRequestCondition = (
  { status }: Pick<CertificateSigningRequest, 'status'>,
  type: string,
): boolean => (status.conditions ?? []).some((one) => one.type === type && one.status === 'True')

function conditionText(status: CertificateSigningRequest['status']): string {
  const has = (type: string): boolean => hasRequestCondition({ status }, type)
  const decided = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending'
  const failed = has('Failed') ? ',Failed' : ''
  return `${decided}${failed}${(status.certificate ?? '') === '' ? '' : ',Issued'}`
}

function validateSpec({
  request,
  signerName,
  usages = [],
  expirationSeconds,
}: CertificateSigningRequest['spec']): FieldError[] {
  const errors: FieldError[] = []
  // `-----BEGIN CERTIFICATE REQUEST`, in base64.
  if (!request.startsWith('LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNU')) {
    errors.push(invalid('spec.request', request, 'PEM block type must be CERTIFICATE REQUEST'))
  }
  if (usages.length === 0) errors.push(required('spec.usages'))
  if (signerName === '') errors.push(required('spec.signerName'))
  else if (!/^[a-z0-9.-]+\/[^/]+$/.test(signerName)) {
    errors.push(
      invalid(
        'spec.signerName',
        signerName,
        'must be a fully qualified domain and path of the form "example.com/signer-name"',
      ),
    )
  }
  if (expirationSeconds !== undefined && expirationSeconds < expirationSecondsMin) {
    errors.push(
      invalid(
        'spec.expirationSeconds',
        expirationSeconds,
        'may not specify a duration less than 600 seconds (10 minutes)',
      ),
    )
  }
  return errors
}
