// Admission: objects are created only in namespaces that exist and are not being deleted; the namespaces of the system stay.
import type { KubeObject, ResourceType } from '../../resources/object.ts'
import { forbidden } from '../api-errors.ts'
import type { AdmissionOperation, AdmissionPlugin, AdmissionRequest } from './admission.ts'
import type { Registry } from '../registry/registry.ts'

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
  async mutate({ operation, type, namespace, object }: AdmissionRequest): Promise<KubeObject> {
    if (operation !== 'CREATE' || namespace === undefined) return object
    const registry = this.#namespaces()
    const stored =
      registry.cache.get(namespace) ??
      (await registry.get({ namespace: undefined, name: namespace }))
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

  validate({ operation, type, name }: AdmissionRequest): void {
    if (operation !== 'DELETE' || !permanentNamespaces.includes(name)) return
    throw forbidden(
      { group: type.group, resource: type.plural },
      name,
      'this namespace may not be deleted',
    )
  }
}

const isNamespaces = ({ group, plural }: ResourceType): boolean =>
  group === '' && plural === 'namespaces'
