// Makes tokens of service accounts on request: checks what is asked, finds what the token is to be bound to, signs it.
import type {
  BoundObjectReference,
  TokenRequestSpec,
  TokenRequestStatus,
} from '../../../client/token-request.ts'
import type { KubeObject } from '../../../resources/object.ts'
import { badRequest, conflict, invalid } from '../../api-errors.ts'
import { timestamp } from '../../registry/object-metadata.ts'
import type { Registry } from '../../registry/registry.ts'
import type { ServiceAccountTokens, TokenRequest } from './service-account-tokens.ts'

const expirationSecondsDefault = 3600
const expirationSecondsMin = 600
const expirationSecondsMax = 2 ** 32
const resource = { group: '', resource: 'serviceaccounts' }

type Bound = Pick<TokenRequest, 'pod' | 'node' | 'secret'>

export class TokenRequests {
  readonly #tokens: ServiceAccountTokens
  readonly #core: (plural: string) => Registry

  constructor(tokens: ServiceAccountTokens, core: (plural: string) => Registry) {
    this.#tokens = tokens
    this.#core = core
  }

  /** What is asked with what was left out filled in. Throws ApiError Invalid. */
  completed(
    spec: TokenRequestSpec,
  ): Required<Omit<TokenRequestSpec, 'boundObjectRef'>> & TokenRequestSpec {
    const { expirationSeconds = expirationSecondsDefault, audiences = [] } = spec
    const refuse = (detail: string): Error =>
      invalid({ group: 'authentication.k8s.io', kind: 'TokenRequest' }, '', [
        {
          reason: 'FieldValueInvalid',
          field: 'spec.expirationSeconds',
          message: `Invalid value: ${expirationSeconds}: ${detail}`,
        },
      ])
    if (expirationSeconds < expirationSecondsMin) {
      throw refuse('may not specify a duration less than 10 minutes')
    }
    if (expirationSeconds > expirationSecondsMax) {
      throw refuse('may not specify a duration larger than 2^32 seconds')
    }
    return {
      ...spec,
      expirationSeconds,
      audiences: audiences.length === 0 ? [this.#tokens.issuer] : audiences,
    }
  }

  /** Throws ApiError NotFound for an account or an object that is not there. */
  async create(
    namespace: string,
    serviceAccount: string,
    spec: TokenRequestSpec,
  ): Promise<TokenRequestStatus> {
    const { audiences, expirationSeconds, boundObjectRef } = this.completed(spec)
    const account = await this.#core('serviceaccounts').get({ namespace, name: serviceAccount })
    const { token, expiresAtMs } = await this.#tokens.issue({
      namespace,
      serviceAccount: { name: serviceAccount, uid: account.object.metadata.uid },
      audiences,
      expirationSeconds,
      ...(boundObjectRef === undefined
        ? {}
        : await this.#bound(namespace, serviceAccount, boundObjectRef)),
    })
    return { token, expirationTimestamp: timestamp(expiresAtMs) }
  }

  async #bound(
    namespace: string,
    serviceAccount: string,
    reference: BoundObjectReference,
  ): Promise<Bound> {
    const { kind = '', name = '' } = reference
    switch (kind) {
      case 'Pod': {
        const pod = await this.#find('pods', { namespace, serviceAccount }, reference)
        const { spec } = pod as KubeObject & {
          spec?: { serviceAccountName?: string; nodeName?: string }
        }
        if (spec?.serviceAccountName !== serviceAccount) {
          throw badRequest(
            `cannot bind token for serviceaccount ${JSON.stringify(serviceAccount)} to pod running with different serviceaccount name.`,
          )
        }
        const node = spec.nodeName ?? ''
        const stored = node === '' ? undefined : this.#core('nodes').cache.get(node)?.object
        return {
          pod: { name, uid: pod.metadata.uid ?? '' },
          ...(stored === undefined ? {} : { node: { name: node, uid: stored.metadata.uid } }),
        }
      }
      case 'Secret': {
        const secret = await this.#find('secrets', { namespace, serviceAccount }, reference)
        return { secret: { name, uid: secret.metadata.uid ?? '' } }
      }
      case 'Node': {
        const node = await this.#find('nodes', { namespace: undefined, serviceAccount }, reference)
        return { node: { name, uid: node.metadata.uid ?? '' } }
      }
      default:
        throw badRequest(
          `cannot bind token to object of type ${reference.apiVersion ?? ''}, Kind=${kind}`,
        )
    }
  }

  async #find(
    plural: string,
    place: { readonly namespace: string | undefined; readonly serviceAccount: string },
    { name = '', uid = '' }: BoundObjectReference,
  ): Promise<KubeObject> {
    const { object } = await this.#core(plural).get({ namespace: place.namespace, name })
    if (uid !== '' && uid !== object.metadata.uid) {
      throw conflict(
        resource,
        place.serviceAccount,
        `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
      )
    }
    return object
  }
}
