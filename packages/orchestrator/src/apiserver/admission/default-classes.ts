// Claims and Ingresses that name no class get the class that is marked as the default one.
import type { KubeObject, ResourceType, Stored } from '../../resources/object.ts'
import { isDefaultClass, type StorageClass } from '../../resources/storage/storage-class.ts'
import { forbidden } from '../api-errors.ts'
import type { Registry } from '../registry/registry.ts'
import type { AdmissionOperation, AdmissionPlugin, AdmissionRequest } from './admission.ts'

interface WithClass extends KubeObject {
  readonly spec?: { readonly storageClassName?: string; readonly ingressClassName?: string }
}

const betaClassAnnotation = 'volume.beta.kubernetes.io/storage-class'
const ingressAnnotation = 'kubernetes.io/ingress.class'
const defaultIngressAnnotation = 'ingressclass.kubernetes.io/is-default-class'

export class DefaultStorageClass implements AdmissionPlugin {
  readonly name = 'DefaultStorageClass'
  readonly #classes: () => Registry | undefined

  constructor(classes: () => Registry | undefined) {
    this.#classes = classes
  }

  handles(operation: AdmissionOperation, type: ResourceType, subresource: string): boolean {
    const isClaim = type.group === '' && type.plural === 'persistentvolumeclaims'
    return operation === 'CREATE' && isClaim && subresource === ''
  }

  mutate({ object }: AdmissionRequest): KubeObject {
    const claim = object as WithClass
    const isNamed =
      claim.spec?.storageClassName !== undefined ||
      claim.metadata.annotations?.[betaClassAnnotation] !== undefined
    if (isNamed) return object
    // The newest counts, as upstream: an administrator who marks another one means that one.
    const [newest] = stored(this.#classes)
      .filter((one) => isDefaultClass(one as KubeObject as StorageClass))
      .toSorted(newestFirst)
    if (newest === undefined) return object
    const spec = { ...claim.spec, storageClassName: newest.metadata.name }
    return { ...claim, spec } as KubeObject
  }
}

export class DefaultIngressClass implements AdmissionPlugin {
  readonly name = 'DefaultIngressClass'
  readonly #classes: () => Registry | undefined

  constructor(classes: () => Registry | undefined) {
    this.#classes = classes
  }

  handles(operation: AdmissionOperation, type: ResourceType, subresource: string): boolean {
    const isIngress = type.group === 'networking.k8s.io' && type.plural === 'ingresses'
    return operation === 'CREATE' && isIngress && subresource === ''
  }

  mutate({ object, name }: AdmissionRequest): KubeObject {
    const ingress = object as WithClass
    const isNamed =
      ingress.spec?.ingressClassName !== undefined ||
      ingress.metadata.annotations?.[ingressAnnotation] !== undefined
    if (isNamed) return object
    const [first, ...more] = stored(this.#classes).filter(
      ({ metadata }) => metadata.annotations?.[defaultIngressAnnotation] === 'true',
    )
    if (first === undefined) return object
    if (more.length > 0) {
      throw forbidden(
        { group: 'networking.k8s.io', resource: 'ingresses' },
        name,
        `${more.length + 1} default IngressClasses were found, only 1 allowed`,
      )
    }
    const spec = { ...ingress.spec, ingressClassName: first.metadata.name }
    return { ...ingress, spec } as KubeObject
  }
}

const stored = (registry: () => Registry | undefined): Stored<KubeObject>[] =>
  [...(registry()?.cache.list('') ?? [])].map(({ object }) => object)

const newestFirst = (a: Stored<KubeObject>, b: Stored<KubeObject>): number =>
  a.metadata.creationTimestamp === b.metadata.creationTimestamp
    ? a.metadata.name < b.metadata.name
      ? -1
      : 1
    : a.metadata.creationTimestamp < b.metadata.creationTimestamp
      ? 1
      : -1
