// Reads the ConfigMaps and Secrets that pods name, as bytes by key, and says in a kubelet's words what is missing.
import type { ApiClient, ResourceRef } from '../../client/api-client.ts'
import { isApiError } from '../../client/is-api-error.ts'
import { configMapType, type ConfigMap } from '../../resources/config-map.ts'
import type { KubeObject, Stored } from '../../resources/object.ts'
import type { Pod } from '../../resources/pod.ts'
import { endpointsType, type Endpoints } from '../../resources/endpoints.ts'
import { serviceType, type Service } from '../../resources/service.ts'
import { secretType, type Secret } from '../../resources/secret.ts'
import {
  persistentVolumeClaimType,
  type PersistentVolumeClaim,
} from '../../resources/storage/persistent-volume-claim.ts'
import {
  persistentVolumeType,
  type PersistentVolume,
} from '../../resources/storage/persistent-volume.ts'

/** The pod cannot start until somebody creates or repairs what it names. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly code = 'CONFIG'
}

export type ConfigKind = 'configmap' | 'secret'
/** Values by key. */
export type ConfigData = ReadonlyMap<string, Buffer>

export interface ApiAddress {
  readonly host: string
  readonly port: number
}

/** How much of a token's life passes before it is replaced, and how long it is kept at least. */
const tokenLifeShare = 0.8
const tokenPauseMsMin = 10_000

export class ConfigSource {
  readonly #client: ApiClient
  readonly #namespace: string
  readonly #apiAddress: ApiAddress | undefined
  readonly #tokens = new Map<string, { readonly token: string; readonly dueAtMs: number }>()

  /** `apiAddress`: where programs reach the apiserver, if that is known. */
  constructor(client: ApiClient, namespace: string, apiAddress?: ApiAddress) {
    this.#client = client
    this.#apiAddress = apiAddress
    this.#namespace = namespace
  }

  /** Undefined when it is missing and `isOptional`; ConfigError when it is missing. */
  async read(kind: ConfigKind, name: string, isOptional: boolean): Promise<ConfigData | undefined> {
    try {
      return kind === 'configmap' ? await this.#configMap(name) : await this.#secret(name)
    } catch (reason) {
      if (!isApiError(reason, 404)) throw reason
      if (isOptional) return undefined
      throw new ConfigError(`${kind} "${name}" not found`, { cause: reason })
    }
  }

  /** One value; ConfigError when the object or the key is missing. */
  async readKey(
    kind: ConfigKind,
    selector: { readonly name?: string; readonly key: string; readonly optional?: boolean },
  ): Promise<Buffer | undefined> {
    const { name = '', key, optional = false } = selector
    const value = (await this.read(kind, name, optional))?.get(key)
    if (value !== undefined || optional) return value
    const label = kind === 'configmap' ? 'ConfigMap' : 'Secret'
    throw new ConfigError(`couldn't find key ${key} in ${label} ${this.#namespace}/${name}`)
  }

  /** Where programs reach the apiserver; undefined: nobody has said so yet. */
  async apiAddress(): Promise<ApiAddress | undefined> {
    if (this.#apiAddress !== undefined) return this.#apiAddress
    try {
      const endpoints = await this.#client.get<Endpoints>(endpointsType, 'default', 'kubernetes')
      const [subset] = endpoints.subsets ?? []
      const host = subset?.addresses?.[0]?.ip
      const port = subset?.ports?.[0]?.port
      return host === undefined || port === undefined ? undefined : { host, port }
    } catch (reason) {
      if (isApiError(reason, 404)) return undefined
      throw reason
    }
  }

  /** Of the namespace. */
  async services(): Promise<readonly Service[]> {
    const { items } = await this.#client.list<Service>(serviceType, { namespace: this.#namespace })
    return items
  }

  /** When the first of the tokens given out should be replaced; epoch milliseconds. */
  get tokensDueAtMs(): number {
    return Math.min(
      Number.POSITIVE_INFINITY,
      ...[...this.#tokens.values()].map((one) => one.dueAtMs),
    )
  }

  /** The volume of a claim that the pod names; ConfigError until it has one. */
  async volume(claimName: string): Promise<Stored<PersistentVolume>> {
    const claim = await this.#named<PersistentVolumeClaim>(
      persistentVolumeClaimType,
      this.#namespace,
      claimName,
    )
    const { volumeName = '' } = claim.spec
    if (claim.status?.phase !== 'Bound' || volumeName === '')
      throw new ConfigError(`PVC ${this.#namespace}/${claimName} is not bound`)
    const volume = await this.#named<PersistentVolume>(persistentVolumeType, undefined, volumeName)
    if (volume.spec.claimRef?.uid === claim.metadata.uid) return volume
    throw new ConfigError(`volume "${volumeName}" is bound to another claim`)
  }

  async #named<T extends KubeObject>(
    ref: ResourceRef,
    namespace: string | undefined,
    name: string,
  ): Promise<Stored<T>> {
    try {
      return await this.#client.get<T>(ref, namespace, name)
    } catch (reason) {
      if (!isApiError(reason, 404)) throw reason
      throw new ConfigError(`${ref.plural} "${name}" not found`, { cause: reason })
    }
  }

  /** A token of the pod's service account that ends with the pod; the same until it is due for another. */
  async token(
    pod: Stored<Pod>,
    { audience = '', expirationSeconds }: { audience?: string; expirationSeconds?: number },
  ): Promise<string> {
    const { name, uid } = pod.metadata
    const account = pod.spec.serviceAccountName ?? 'default'
    const askedAtMs = Date.now()
    const key = JSON.stringify([audience, expirationSeconds])
    const known = this.#tokens.get(key)
    if (known !== undefined && known.dueAtMs > askedAtMs) return known.token
    const { token, expirationTimestamp } = await this.#client.createToken(
      this.#namespace,
      account,
      {
        audiences: audience === '' ? [] : [audience],
        ...(expirationSeconds === undefined ? {} : { expirationSeconds }),
        boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name, uid },
      },
    )
    const lifeMs = Date.parse(expirationTimestamp) - askedAtMs
    const dueAtMs = askedAtMs + Math.max(lifeMs * tokenLifeShare, tokenPauseMsMin)
    this.#tokens.set(key, { token, dueAtMs })
    return token
  }

  async #configMap(name: string): Promise<ConfigData> {
    const object = await this.#client.get<ConfigMap>(configMapType, this.#namespace, name)
    return new Map([
      ...Object.entries(object.data ?? {}).map(([key, text]): [string, Buffer] => [
        key,
        Buffer.from(text),
      ]),
      ...decoded(object.binaryData),
    ])
  }

  async #secret(name: string): Promise<ConfigData> {
    const object = await this.#client.get<Secret>(secretType, this.#namespace, name)
    return new Map(decoded(object.data))
  }
}

const decoded = (data: Readonly<Record<string, string>> | undefined): [string, Buffer][] =>
  Object.entries(data ?? {}).map(([key, text]) => [key, Buffer.from(text, 'base64')])
