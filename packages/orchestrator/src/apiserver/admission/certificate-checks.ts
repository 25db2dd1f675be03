// Who approves or signs a certificate request needs that right for its signer; nobody asks for a certificate of system:masters through
// the signer of clients.
import { jsonEqual } from '../../resources/json-equal.ts'
import type { KubeObject, ResourceType } from '../../resources/object.ts'
import type { Authorizer } from '../access/authorizer.ts'
import { forbidden } from '../api-errors.ts'
import type { AdmissionOperation, AdmissionPlugin, AdmissionRequest } from './admission.ts'

interface CertificateRequest extends KubeObject {
  readonly spec?: { readonly signerName?: string }
  readonly status?: { readonly certificate?: string; readonly conditions?: unknown }
}

const group = 'certificates.k8s.io'

export class CertificateChecks implements AdmissionPlugin {
  readonly name = 'CertificateApproval'
  readonly #authorizer: () => Authorizer

  constructor(authorizer: () => Authorizer) {
    this.#authorizer = authorizer
  }

  handles(operation: AdmissionOperation, type: ResourceType, subresource: string): boolean {
    const isRequest = type.group === group && type.plural === 'certificatesigningrequests'
    if (!isRequest) return false
    if (operation === 'CREATE') return subresource === ''
    return operation === 'UPDATE' && (subresource === 'approval' || subresource === 'status')
  }

  /** A new request says who made it, whatever was sent. */
  mutate({ operation, object, user }: AdmissionRequest): KubeObject {
    if (operation !== 'CREATE') return object
    const { spec } = object as CertificateRequest
    const { name: username, uid, groups, extra } = user
    const asker = {
      username,
      groups,
      ...(uid === undefined ? {} : { uid }),
      ...(extra === undefined ? {} : { extra }),
    }
    return {
      ...object,
      spec: { ...spec, uid: undefined, extra: undefined, ...asker },
    } as KubeObject
  }

  validate(request: AdmissionRequest): void {
    if (request.operation === 'CREATE') return
    const object = request.object as CertificateRequest
    const old = request.oldObject as CertificateRequest | undefined
    const isApproval = request.subresource === 'approval'
    const isSigned = !jsonEqual(object.status?.certificate, old?.status?.certificate)
    if (!isApproval && !isSigned) return
    const signer = old?.spec?.signerName ?? ''
    const verb = isApproval ? 'approve' : 'sign'
    const domain = `${signer.slice(0, signer.indexOf('/'))}/*`
    if (this.#may(request, verb, signer) || this.#may(request, verb, domain)) return
    throw forbidden(
      { group, resource: request.type.plural },
      request.name,
      `user not permitted to ${verb} requests with signerName ${JSON.stringify(signer)}`,
    )
  }

  #may({ user }: AdmissionRequest, verb: string, name: string): boolean {
    return this.#authorizer().authorize({
      user,
      verb,
      isResource: true,
      path: '',
      group,
      version: '*',
      resource: 'signers',
      subresource: '',
      namespace: '',
      name,
    }).allowed
  }
}
