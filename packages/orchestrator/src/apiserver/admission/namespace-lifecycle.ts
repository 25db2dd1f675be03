// Admission: objects are created only in namespaces that exist and are not being deleted; the namespaces of the system stay.
import type { KubeObject, ResourceType } from '../../resources/object.ts'
import { forbidden } from '../api-errors.ts'
import type { AdmissionOperation, AdmissionPlugin, AdmissionRequest } from './admission.ts'
import type { Registry } from '../registry/registry.ts'
import type { StoredObject } from '../storage/stored-object.ts'

export const systemNamespaces: readonly string[] = [
  'default',
  'kube-system',
  'kube-public',
  'kube-node-lease',
]

/** Those that may not be deleted. */
export const permanentNamespaces: readonly string[] = ['default', 'kube-system', 'kube-public']

export class NamespaceLifecycle implements AdmissionPlugin {
  readonly name = 'NamespaceLifecycle'
  readonly #namespaces: () => Registry

  /** `namespaces`: the registry of namespaces, which itself needs the admission steps to be made. */
  constructor(namespaces: () => Registry) {
    this.#namespaces = namespaces
  }

  handles(operation: AdmissionOperation, type: ResourceType, subresource: string): boolean {
    if (operation === 'CREATE') return type.namespaced
    return operation === 'DELETE' && isNamespaces(type) && subresource === ''
  }

  /** Before anything else: a missing namespace is told first. */
  mutate(request: AdmissionRequest): Promise<KubeObject> | KubeObject {
    const { operation, namespace, object } = request
    if (operation !== 'CREATE' || namespace === undefined) return object
    const cached = this.#namespaces().cache.get(namespace)
    return cached === undefined
      ? this.#mutateInStored(request, namespace)
      : inNamespace(request, cached)
  }

  async #mutateInStored(request: AdmissionRequest, name: string): Promise<KubeObject> {
    return inNamespace(request, await this.#namespaces().get({ namespace: undefined, name }))
  }

  validate({ operation, type, name }: AdmissionRequest): void {
    if (operation !== 'DELETE' || !permanentNamespaces.includes(name)) return
    throw forbidden(
      { group: type.group, resource: type.plural },
      name,
      'this namespace may not be deleted',
    )
  }
}

/** Throws ApiError Forbidden where the namespace is being deleted. */
const inNamespace = (
  { type, namespace = '', object }: AdmissionRequest,
  stored: StoredObject,
): KubeObject => {
  if (stored.object.metadata.deletionTimestamp === undefined) return object
  const name = object.metadata.name ?? object.metadata.generateName ?? ''
  const message = `namespace ${namespace} is being terminated`
  throw forbidden(
    { group: type.group, resource: type.plural },
    name,
    `unable to create new content in namespace ${namespace} because it is being terminated`,
    [{ reason: 'NamespaceTerminating', message, field: 'metadata.namespace' }],
  )
}

const isNamespaces = ({ group, plural }: ResourceType): boolean =>
  group === '' && plural === 'namespaces'
