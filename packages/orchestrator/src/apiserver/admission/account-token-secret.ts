// A Secret of type kubernetes.io/service-account-token gets the token of the account that its annotation names when it is made: no
// controller has to fill it in later.
import type { KubeObject, ResourceType } from '../../resources/object.ts'
import type { Secret } from '../../resources/secret.ts'
import type { ServiceAccountTokens } from '../access/tokens/service-account-tokens.ts'
import type { Registry } from '../registry/registry.ts'
import type { AdmissionOperation, AdmissionPlugin, AdmissionRequest } from './admission.ts'

const tokenSecretType = 'kubernetes.io/service-account-token'
const nameAnnotation = 'kubernetes.io/service-account.name'
const uidAnnotation = 'kubernetes.io/service-account.uid'

export class AccountTokenSecret implements AdmissionPlugin {
  readonly name = 'ServiceAccountTokenSecret'
  readonly #accounts: () => Registry
  readonly #tokens: () => ServiceAccountTokens
  readonly #rootCertificate: () => string

  constructor(options: {
    readonly accounts: () => Registry
    readonly tokens: () => ServiceAccountTokens
    /** PEM. */
    readonly rootCertificate: () => string
  }) {
    this.#accounts = options.accounts
    this.#tokens = options.tokens
    this.#rootCertificate = options.rootCertificate
  }

  handles(operation: AdmissionOperation, type: ResourceType, subresource: string): boolean {
    return (
      operation === 'CREATE' && type.kind === 'Secret' && type.group === '' && subresource === ''
    )
  }

  async mutate(request: AdmissionRequest): Promise<KubeObject> {
    const secret = request.object as Secret
    const { namespace = '', name } = request
    if (secret.type !== tokenSecretType || secret.data?.['token'] !== undefined) return secret
    const annotations = secret.metadata.annotations ?? {}
    const accountName = annotations[nameAnnotation] ?? ''
    const account = this.#accounts().cache.get(`${namespace}/${accountName}`)?.object
    // Without its account a token secret is validated and refused as upstream does, or waits for nothing.
    if (account === undefined) return secret
    const { uid } = account.metadata
    const token = await this.#tokens().issueLegacy({
      namespace,
      secret: name,
      serviceAccount: { name: accountName, uid },
    })
    const data = {
      ...secret.data,
      token: base64(token),
      namespace: base64(namespace),
      'ca.crt': base64(this.#rootCertificate()),
    }
    const metadata = { ...secret.metadata, annotations: { ...annotations, [uidAnnotation]: uid } }
    return { ...secret, metadata, data } as KubeObject
  }
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')
