// Pods run as a service account, `default` unless they name one, and find its token, the cluster's certificate and their namespace in a
// volume. The account `default` and the certificate are made with the first pod of a namespace that needs them.
import { isApiError } from '../../client/is-api-error.ts'
import { generateName } from '../../resources/names.ts'
import type { KubeObject, ResourceType } from '../../resources/object.ts'
import type { Container, Volume } from '../../resources/pod-spec/pod-spec.ts'
import type { ServiceAccount } from '../../resources/service-account.ts'
import { systemUser } from '../access/user.ts'
import { forbidden } from '../api-errors.ts'
import type { Registry } from '../registry/registry.ts'
import type { AdmissionOperation, AdmissionPlugin, AdmissionRequest } from './admission.ts'
import { type AdmittedPod, isMirrorPod, isPodCreate, withSpec } from './pod-requests.ts'

const defaultAccount = 'default'
const rootCertificateName = 'kube-root-ca.crt'
const tokenVolumePrefix = 'kube-api-access-'
const tokenMountPath = '/var/run/secrets/kubernetes.io/serviceaccount'
const tokenExpirationSeconds = 3607
const systemWrite = { user: systemUser, dryRun: false, fieldManager: 'kube-controller-manager' }

export class ServiceAccountPlugin implements AdmissionPlugin {
  readonly name = 'ServiceAccount'
  readonly #core: (plural: string) => Registry
  readonly #rootCertificate: (() => string) | undefined

  /** `rootCertificate` (PEM): left out, pods get no tokens. */
  constructor(core: (plural: string) => Registry, rootCertificate: (() => string) | undefined) {
    this.#core = core
    this.#rootCertificate = rootCertificate
  }

  handles(operation: AdmissionOperation, type: ResourceType, subresource: string): boolean {
    return isPodCreate(operation, type, subresource)
  }

  async mutate(request: AdmissionRequest): Promise<KubeObject> {
    const pod = request.object as AdmittedPod
    const { namespace = '' } = request
    if (isMirrorPod(pod)) return pod
    const named = pod.spec.serviceAccountName ?? ''
    const name = named === '' ? defaultAccount : named
    const account = await this.#account(namespace, name, request)
    const secrets = pod.spec.imagePullSecrets ?? []
    const admitted = withSpec(pod, {
      serviceAccountName: name,
      serviceAccount: name,
      ...(secrets.length === 0 && account.imagePullSecrets !== undefined
        ? { imagePullSecrets: account.imagePullSecrets }
        : {}),
    })
    if (this.#rootCertificate === undefined || !isMounting(pod, account)) return admitted
    if (!request.dryRun) await this.#ensureCertificate(namespace, this.#rootCertificate())
    return withTokenVolume(admitted)
  }

  async #account(
    namespace: string,
    name: string,
    { object, type, dryRun }: AdmissionRequest,
  ): Promise<ServiceAccount> {
    const accounts = this.#core('serviceaccounts')
    const place = { namespace, name }
    try {
      const stored = accounts.cache.get(`${namespace}/${name}`) ?? (await accounts.get(place))
      return stored.object
    } catch (reason) {
      if (!isApiError(reason, 404)) throw reason
    }
    const account: KubeObject = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } }
    if (name === defaultAccount) {
      if (!dryRun) await createUnlessThere(accounts, namespace, account)
      return account
    }
    throw forbidden(
      { group: type.group, resource: type.plural },
      object.metadata.name ?? object.metadata.generateName ?? '',
      `error looking up service account ${namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`,
    )
  }

  async #ensureCertificate(namespace: string, certificate: string): Promise<void> {
    const configMaps = this.#core('configmaps')
    if (configMaps.cache.get(`${namespace}/${rootCertificateName}`) !== undefined) return
    const object: KubeObject & { readonly data: Readonly<Record<string, string>> } = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: rootCertificateName,
        annotations: {
          'kubernetes.io/description':
            'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.',
        },
      },
      data: { 'ca.crt': certificate },
    }
    await createUnlessThere(configMaps, namespace, object)
  }
}

const createUnlessThere = async (
  registry: Registry,
  namespace: string,
  object: KubeObject,
): Promise<void> => {
  try {
    await registry.create(namespace, object, systemWrite)
  } catch (reason) {
    if (!isApiError(reason, 409)) throw reason
  }
}

/** What the pod says counts before what the account says. */
const isMounting = (pod: AdmittedPod, account: ServiceAccount): boolean =>
  pod.spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true

const withTokenVolume = (pod: AdmittedPod): AdmittedPod => {
  const { containers, initContainers, volumes = [] } = pod.spec
  const isMissing = [...containers, ...(initContainers ?? [])].some((one) => !hasMount(one))
  if (!isMissing) return pod
  const present = volumes.find((volume) => volume.name.startsWith(tokenVolumePrefix))
  const name = present?.name ?? generateName(tokenVolumePrefix, Math.random)
  const mounted = (container: Container): Container =>
    hasMount(container)
      ? container
      : {
          ...container,
          volumeMounts: [
            ...(container.volumeMounts ?? []),
            { name, readOnly: true, mountPath: tokenMountPath },
          ],
        }
  return withSpec(pod, {
    containers: containers.map(mounted),
    ...(initContainers === undefined ? {} : { initContainers: initContainers.map(mounted) }),
    volumes: present === undefined ? [...volumes, tokenVolume(name)] : volumes,
  })
}

const hasMount = ({ volumeMounts = [] }: Container): boolean =>
  volumeMounts.some(({ mountPath }) => mountPath === tokenMountPath)

const tokenVolume = (name: string): Volume => ({
  name,
  projected: {
    defaultMode: 0o644,
    sources: [
      { serviceAccountToken: { expirationSeconds: tokenExpirationSeconds, path: 'token' } },
      { configMap: { name: rootCertificateName, items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      {
        downwardAPI: {
          items: [
            { path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } },
          ],
        },
      },
    ],
  },
})
