// CertificateSigningRequests: those of agents for themselves are approved, approved ones of the cluster's own signers are signed.
import {
  type CertificateSigningRequest,
  certificateSigningRequestType,
  hasRequestCondition,
} from '../resources/certificate-signing-request.ts'
import type { Condition, Stored } from '../resources/object.ts'
import { timestamp } from '../resources/timestamp.ts'
import { type Action, nothing, type Reconciliation } from './action.ts'

const agentSigner = 'kubernetes.io/kube-apiserver-client-kubelet'
const servingSigner = 'kubernetes.io/kubelet-serving'
const clientSigner = 'kubernetes.io/kube-apiserver-client'
const nodesGroup = 'system:nodes'
const mastersGroup = 'system:masters'
const bootstrapGroup = 'system:bootstrappers'
const nodePrefix = 'system:node:'
/** What each signer lets a certificate be for. */
const allowedUsages: Readonly<Record<string, readonly string[]>> = {
  [agentSigner]: ['digital signature', 'key encipherment', 'client auth'],
  [clientSigner]: ['digital signature', 'key encipherment', 'client auth'],
  [servingSigner]: ['digital signature', 'key encipherment', 'server auth'],
}

export interface Subject {
  readonly commonName: string
  readonly organizations: readonly string[]
}

export interface CertificateRequestView {
  readonly request: Stored<CertificateSigningRequest>
  /** What it asks for; undefined: it cannot be read. */
  readonly subject: Subject | undefined
  /** Base64; undefined: it was not signed yet. */
  readonly certificate: string | undefined
  readonly nowMs: number
}

/** Whether the cluster signs it: approved, not signed, not refused, and of a signer of its own. */
export const isToBeSigned = (request: Stored<CertificateSigningRequest>): boolean =>
  request.spec.signerName in allowedUsages &&
  hasRequestCondition(request, 'Approved') &&
  !hasRequestCondition(request, 'Denied') &&
  !hasRequestCondition(request, 'Failed') &&
  (request.status.certificate ?? '') === ''

/** What is wrong with it for its signer; undefined: nothing. */
export const signerProblem = (
  { spec }: Stored<CertificateSigningRequest>,
  subject: Subject | undefined,
): string | undefined => {
  if (subject === undefined) return 'the request cannot be read'
  const allowed = allowedUsages[spec.signerName] ?? []
  const wrong = (spec.usages ?? []).filter((usage) => !allowed.includes(usage))
  if (wrong.length > 0) return `usages are not allowed: ${wrong.join(', ')}`
  if (spec.signerName === clientSigner) {
    return subject.organizations.includes(mastersGroup) ? `nobody gets ${mastersGroup}` : undefined
  }
  const isNode =
    subject.commonName.startsWith(nodePrefix) &&
    subject.organizations.length === 1 &&
    subject.organizations[0] === nodesGroup
  return isNode ? undefined : `the subject is not that of a node`
}

export function reconcileCertificateRequest(view: CertificateRequestView): Reconciliation {
  const { request, subject, certificate } = view
  const isOpen =
    !hasRequestCondition(request, 'Approved') && !hasRequestCondition(request, 'Denied')
  if (isOpen) return isOwn(request, subject) ? { actions: [approve(view)] } : nothing
  if (!isToBeSigned(request)) return nothing
  const problem = signerProblem(request, subject)
  if (problem !== undefined) {
    const condition = conditionOf('Failed', 'SignerValidationFailure', problem, view.nowMs)
    const conditions = [...(request.status.conditions ?? []), condition]
    return { actions: [update(request, { ...request.status, conditions }, 'status')] }
  }
  return certificate === undefined
    ? nothing
    : { actions: [update(request, { ...request.status, certificate }, 'status')] }
}

/** An agent that joins, or renews its own certificate. */
const isOwn = (
  request: Stored<CertificateSigningRequest>,
  subject: Subject | undefined,
): boolean => {
  const { spec } = request
  if (spec.signerName !== agentSigner || signerProblem(request, subject) !== undefined) return false
  const groups = spec.groups ?? []
  return spec.username === subject?.commonName || groups.includes(bootstrapGroup)
}

const approve = ({ request, nowMs }: CertificateRequestView): Action => {
  const message = 'Auto approving kubelet client certificate.'
  const condition = conditionOf('Approved', 'AutoApproved', message, nowMs)
  const conditions = [...(request.status.conditions ?? []), condition]
  return update(request, { ...request.status, conditions }, 'approval')
}

const conditionOf = (type: string, reason: string, message: string, nowMs: number): Condition => ({
  type,
  status: 'True',
  reason,
  message,
  lastUpdateTime: timestamp(nowMs),
  lastTransitionTime: timestamp(nowMs),
})

const update = (
  request: Stored<CertificateSigningRequest>,
  status: CertificateSigningRequest['status'],
  subresource: 'status' | 'approval',
): Action => {
  const object: CertificateSigningRequest = { ...request, status }
  return { type: 'update', ref: certificateSigningRequestType, object, subresource }
}
