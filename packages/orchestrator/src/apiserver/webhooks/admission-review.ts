// AdmissionReview of admission.k8s.io/v1: what a webhook is sent, and what its answer means.
import { randomUUID } from 'node:crypto'
import { ApiError } from '../../client/api-client.ts'
import type { Json, KubeObject } from '../../resources/object.ts'
import { apiVersionOf } from '../../resources/served-version.ts'
import { isJsonObject } from '../../resources/patch/patch-result.ts'
import type { AdmissionRequest } from '../admission/admission.ts'

export interface AdmissionAnswer {
  readonly isAllowed: boolean
  readonly status: { readonly code: number; readonly reason: string; readonly message: string }
  readonly warnings: readonly string[]
  /** RFC 6902; undefined: nothing is to be changed. */
  readonly patch: Json | undefined
}

const warningsMax = 20

export const admissionReview = (
  request: AdmissionRequest,
): { readonly uid: string; readonly review: Json } => {
  const uid = randomUUID()
  return {
    uid,
    review: {
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      request: { uid, ...reviewedRequest(request) },
    },
  }
}

/** The request as webhooks and rules in CEL see it. */
export const reviewedRequest = (request: AdmissionRequest): { readonly [key: string]: Json } => {
  const { type, subresource, operation, user, options } = request
  const kind = kindOf(request)
  const resource = { group: type.group, version: type.version, resource: type.plural }
  const sub = subresource === '' ? {} : { subResource: subresource }
  const requestSub = subresource === '' ? {} : { requestSubResource: subresource }
  const isDelete = operation === 'DELETE'
  return {
    kind,
    resource,
    ...sub,
    requestKind: kind,
    requestResource: resource,
    ...requestSub,
    ...(request.name === '' ? {} : { name: request.name }),
    ...(request.namespace === undefined ? {} : { namespace: request.namespace }),
    operation,
    userInfo: {
      username: user.name,
      ...(user.uid === undefined ? {} : { uid: user.uid }),
      groups: user.groups,
      ...(user.extra === undefined ? {} : { extra: user.extra as Json }),
    },
    object: isDelete ? null : asJson(request.object, kind),
    oldObject: request.oldObject === undefined ? null : asJson(request.oldObject, kind),
    dryRun: request.dryRun,
    options: {
      kind: `${operation.charAt(0)}${operation.slice(1).toLowerCase()}Options`,
      apiVersion: 'meta.k8s.io/v1',
      ...(options.fieldManager === '' ? {} : { fieldManager: options.fieldManager }),
    },
  }
}

type Kind = Readonly<Record<'group' | 'version' | 'kind', string>>

/** The body of a connection and of some subresources is of a kind of its own. */
const kindOf = ({ type, object }: AdmissionRequest): Kind => {
  if (object.kind === '' || object.kind === type.kind) {
    return { group: type.group, version: type.version, kind: type.kind }
  }
  const [version = '', group = ''] = object.apiVersion.split('/').toReversed()
  return { group, version, kind: object.kind }
}

const asJson = (object: KubeObject, kind: Kind): Json =>
  ({ ...object, apiVersion: apiVersionOf(kind), kind: kind.kind }) as unknown as Json

/** Throws Error where it is no answer to the review. */
export const readAnswer = (answer: Json, uid: string): AdmissionAnswer => {
  const response = isJsonObject(answer) ? answer['response'] : undefined
  if (!isJsonObject(response)) throw new Error('webhook response is missing the response field')
  if (response['uid'] !== uid) {
    throw new Error(
      `expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response['uid'])}`,
    )
  }
  const status = isJsonObject(response['status']) ? response['status'] : {}
  const { code, reason, message } = status
  const warnings = Array.isArray(response['warnings'])
    ? (response['warnings'] as readonly Json[])
    : []
  return {
    isAllowed: response['allowed'] === true,
    status: {
      code: typeof code === 'number' && code >= 400 && code < 600 ? code : 403,
      reason: typeof reason === 'string' ? reason : '',
      message: typeof message === 'string' ? message : '',
    },
    warnings: warnings.filter((text) => typeof text === 'string').slice(0, warningsMax),
    patch: readPatch(response['patch'], response['patchType']),
  }
}

const readPatch = (patch: Json | undefined, type: Json | undefined): Json | undefined => {
  if (typeof patch !== 'string' || patch === '') return undefined
  if (type !== 'JSONPatch') {
    throw new Error(`unsupported patch type ${JSON.stringify(type ?? '')}`)
  }
  try {
    return JSON.parse(Buffer.from(patch, 'base64').toString('utf8')) as Json
  } catch (reason) {
    throw new Error('the patch is no JSON', { cause: reason })
  }
}

export const denied = (webhook: string, { status }: AdmissionAnswer): ApiError => {
  const { code, reason, message } = status
  const text =
    message === '' ? (reason === '' ? 'without explanation' : `: ${reason}`) : `: ${message}`
  const why = text.startsWith(':') ? text : ` ${text}`
  return new ApiError(
    code,
    reason === '' ? 'Forbidden' : reason,
    `admission webhook ${JSON.stringify(webhook)} denied the request${why}`,
    {},
  )
}
