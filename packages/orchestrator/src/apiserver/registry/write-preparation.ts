// From what a client sent to what may be stored: the system's metadata, defaults, admission, the kind's own rules, in upstream's order.
import { randomUUID } from 'node:crypto'
import type { Json, KubeObject, ResourceType, Stored } from '../../resources/object.ts'
import { isJsonObject } from '../../resources/patch/patch-result.ts'
import type { Admission, AdmissionOperation, AdmissionRequest } from '../admission/admission.ts'
import { conflict, invalid, modifiedConflict, type ResourceName } from '../api-errors.ts'
import type { OwnedPart } from '../apply/field-paths.ts'
import { withUpdateTracked } from '../apply/managed-fields.ts'
import { structureOf } from '../apply/structure.ts'
import { inNamespace } from './in-namespace.ts'
import { admittedMetadata, createdMetadata, timestamp, updatedMetadata } from './object-metadata.ts'
import type { Place } from './registry.ts'
import type { DeleteOptions, WriteOptions } from './request-options.ts'

/** A write that admission is asked about. */
export interface AdmittedWrite {
  readonly operation: AdmissionOperation
  /** '' for the object itself. */
  readonly subresource: string
  readonly place: Place
  readonly object: KubeObject
  readonly oldObject: Stored<KubeObject> | undefined
  readonly options: WriteOptions
}

export class WritePreparation {
  readonly #type: ResourceType
  readonly #resource: ResourceName
  readonly #admission: Admission
  readonly #now: () => number

  constructor(options: {
    readonly type: ResourceType
    readonly admission: Admission
    readonly now: () => number
  }) {
    this.#type = options.type
    this.#resource = { group: options.type.group, resource: options.type.plural }
    this.#admission = options.admission
    this.#now = options.now
  }

  async forCreate(
    sent: KubeObject,
    place: { readonly namespace: string | undefined; readonly name: string | undefined },
    options: WriteOptions,
  ): Promise<KubeObject> {
    const name = place.name ?? ''
    const metadata = createdMetadata(sent.metadata, place.name, {
      uid: randomUUID(),
      creationTimestamp: timestamp(this.#now()),
    })
    const write = {
      operation: 'CREATE',
      subresource: '',
      place: { namespace: place.namespace, name },
      oldObject: undefined,
      options,
    } as const
    const type = this.#type
    const admitted = await this.#mutated(write, type.defaults({ ...sent, metadata }))
    const object = type.prepareForCreate?.(admitted) ?? admitted
    const errors = [
      ...type.validate(object),
      ...(type.validateCreate?.(object) ?? []),
      ...(options.servedType?.validateServed?.(object, undefined) ?? []),
    ]
    if (errors.length > 0) throw invalid(type, name, errors)
    await this.#admission.validate(this.#request({ ...write, object }))
    return this.tracked(object, undefined, options, 'main')
  }

  async forUpdate(
    sent: KubeObject,
    current: Stored<KubeObject>,
    place: Place,
    options: WriteOptions,
  ): Promise<KubeObject> {
    const type = this.#type
    this.checkIdentity(sent, current)
    const write = {
      operation: 'UPDATE',
      subresource: '',
      place,
      oldObject: current,
      options,
    } as const
    const named = { ...sent, metadata: updatedMetadata(sent.metadata, current.metadata) }
    const admitted = await this.#mutated(write, type.defaults(named))
    const object = type.prepareForUpdate?.(admitted, current) ?? admitted
    const errors = [
      ...type.validate(object),
      ...(type.validateUpdate?.(object, current) ?? []),
      ...(options.servedType?.validateServed?.(object, current) ?? []),
    ]
    if (errors.length > 0) throw invalid(type, place.name, errors)
    await this.#admission.validate(this.#request({ ...write, object }))
    return this.tracked(object, current, options, 'main')
  }

  /** `scaled` is the current object with other replicas, of which admission has been asked as a Scale. */
  forScale(
    scaled: KubeObject,
    current: Stored<KubeObject>,
    place: Place,
    options: WriteOptions,
  ): KubeObject {
    const type = this.#type
    const object = type.prepareForUpdate?.(scaled, current) ?? scaled
    const errors = [...type.validate(object), ...(type.validateUpdate?.(object, current) ?? [])]
    if (errors.length > 0) throw invalid(type, place.name, errors)
    return this.tracked(object, current, options, 'scale')
  }

  /** For subresources, deletions and connections: the object as it may be stored. */
  async admitted(write: AdmittedWrite): Promise<KubeObject> {
    const object = await this.#admission.mutate(this.#request(write))
    if (write.subresource === 'status') this.#checkCustom(object, write)
    await this.#admission.validate(this.#request({ ...write, object }))
    return object
  }

  /** Throws ApiError Conflict when `sent` asks for another version, or for an object that is gone. */
  checkIdentity(sent: KubeObject, current: Stored<KubeObject>): void {
    const { resourceVersion = '', uid = '' } = sent.metadata
    if (uid !== '' && uid !== current.metadata.uid) {
      throw conflict(this.#resource, current.metadata.name, uidText(uid, current.metadata.uid))
    }
    if (resourceVersion !== '' && resourceVersion !== current.metadata.resourceVersion) {
      throw modifiedConflict(this.#resource, current.metadata.name)
    }
  }

  checkPreconditions(current: Stored<KubeObject>, { uid, resourceVersion }: DeleteOptions): void {
    const { name } = current.metadata
    if (uid !== undefined && uid !== current.metadata.uid) {
      throw conflict(this.#resource, name, uidText(uid, current.metadata.uid))
    }
    if (resourceVersion !== undefined && resourceVersion !== current.metadata.resourceVersion) {
      throw conflict(
        this.#resource,
        name,
        `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${current.metadata.resourceVersion}`,
      )
    }
  }

  /** What plugins add is completed with defaults too; where the object is and what the system says of it is not theirs to change. */
  async #mutated(write: Omit<AdmittedWrite, 'object'>, object: KubeObject): Promise<KubeObject> {
    const admitted = await this.#admission.mutate(this.#request({ ...write, object }))
    if (admitted === object) return object
    const { place, oldObject } = write
    const placed = inNamespace(this.#type, admitted, place.namespace)
    const { uid = '', creationTimestamp = '' } = object.metadata
    const metadata =
      oldObject === undefined
        ? createdMetadata(placed.metadata, placed.metadata.name, { uid, creationTimestamp })
        : admittedMetadata(placed.metadata, oldObject.metadata)
    return this.#type.defaults({ ...placed, metadata })
  }

  /** The status of a kind that users bring follows a schema as its spec does. */
  #checkCustom(object: KubeObject, { oldObject, place }: AdmittedWrite): void {
    const type = this.#type
    if (type.custom === undefined || oldObject === undefined) return
    const errors = [...type.validate(object), ...(type.validateUpdate?.(object, oldObject) ?? [])]
    if (errors.length > 0) throw invalid(type, place.name, errors)
  }

  #request(write: AdmittedWrite): AdmissionRequest {
    const { operation, subresource, place, object, oldObject, options } = write
    return {
      operation,
      type: this.#type,
      subresource,
      namespace: place.namespace,
      name: place.name,
      object,
      oldObject,
      options,
      user: options.user,
      dryRun: options.dryRun,
      warn: options.warn ?? ignore,
    }
  }

  /** `updated` with an account of what this write owns; `current` undefined: it is being created. */
  tracked<T extends KubeObject>(
    updated: T,
    current: Stored<KubeObject> | undefined,
    { isApply, tracksFields, fieldManager }: WriteOptions,
    part: OwnedPart,
  ): T {
    const { managedFields = [] } = updated.metadata
    if (isApply === true || (tracksFields !== true && managedFields.length === 0)) return updated
    // Status changes often and has one writer: its owners are only kept where somebody has applied it.
    if (part === 'status' && !managedFields.some(isOfStatus)) return updated
    return withUpdateTracked(updated, current, {
      manager: fieldManager,
      time: timestamp(this.#now()),
      structure: structureOf(this.#type),
      part,
    })
  }
}

const isOfStatus = (entry: Json): boolean =>
  isJsonObject(entry) && entry['subresource'] === 'status'

const ignore = (): void => undefined

const uidText = (asked: string, there: string): string =>
  `Precondition failed: UID in precondition: ${asked}, UID in object meta: ${there}`
