// One version of one object, as bytes and as a value, each made from the other when first asked for and then kept.
// The bytes in the store lack metadata.resourceVersion (it is the store's revision); a reply is those bytes with it spliced in,
// so that reading an object costs no JSON parsing.
import type { KubeObject, ObjectMeta, Stored } from '../../resources/object.ts'
import { internalError } from '../api-errors.ts'

const metadataText = (metadata: ObjectMeta): string => {
  if (metadata.resourceVersion === undefined) return JSON.stringify(metadata)
  const { resourceVersion: _, ...rest } = metadata
  return JSON.stringify(rest)
}

const headFields: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata'])

/** Writes and reads the objects of one kind. */
export class ObjectCodec {
  readonly apiVersion: string
  /** Whether objects are of the version that they were stored in: then somebody converts them. */
  readonly keepsVersion: boolean
  /** How the stored bytes of this kind begin. */
  readonly #head: Buffer
  /** How they do in a list that names the kind once for all. */
  readonly #itemHead = Buffer.from('{"metadata":{')

  constructor(
    type: { readonly group: string; readonly version: string; readonly kind: string },
    keepsVersion = false,
  ) {
    this.keepsVersion = keepsVersion
    const apiVersion = type.group === '' ? type.version : `${type.group}/${type.version}`
    this.apiVersion = apiVersion
    this.#head = Buffer.from(
      `${JSON.stringify({ apiVersion, kind: type.kind }).slice(0, -1)},"metadata":{`,
    )
  }

  /** The bytes to store. */
  encode(object: KubeObject): Buffer {
    const { apiVersion, kind, metadata } = object
    let text = `{"apiVersion":${JSON.stringify(apiVersion)},"kind":${JSON.stringify(kind)},"metadata":${metadataText(metadata)}`
    for (const [field, value] of Object.entries(object)) {
      if (headFields.has(field) || value === undefined) continue
      text += `,${JSON.stringify(field)}:${JSON.stringify(value)}`
    }
    return Buffer.from(`${text}}`)
  }

  /**
   * The JSON of a stored value with its resourceVersion, and with its kind unless it is an item of a typed list; undefined where the value
   * was not written by encode().
   */
  splice(value: Uint8Array, revision: number, asItem = false): Buffer | undefined {
    const stored = this.#head.length
    if (value.length <= stored || this.#head.compare(value, 0, stored) !== 0) return undefined
    const head = asItem ? this.#itemHead : this.#head
    const inserted = `"resourceVersion":"${revision}"`
    const isEmpty = value[stored] === 0x7d
    const size = value.length - stored + head.length + inserted.length + (isEmpty ? 0 : 1)
    const json = Buffer.allocUnsafe(size)
    head.copy(json)
    let offset = head.length + json.write(inserted, head.length, 'latin1')
    if (!isEmpty) json[offset++] = 0x2c
    json.set(value.subarray(stored), offset)
    return json
  }
}

/** Immutable. Shared by the watch cache, its watchers and replies. */
export class StoredObject {
  /** Below the collection: `NAMESPACE/NAME` or `NAME`. */
  readonly key: string
  readonly revision: number
  /** The bytes in the store. */
  readonly value: Uint8Array
  readonly #codec: ObjectCodec
  #object: Stored<KubeObject> | undefined
  #json: Buffer | undefined

  /** `object`: the decoded value where it is known, with its resourceVersion. */
  constructor(
    codec: ObjectCodec,
    key: string,
    value: Uint8Array,
    revision: number,
    object?: Stored<KubeObject>,
  ) {
    this.#codec = codec
    this.key = key
    this.value = value
    this.revision = revision
    this.#object = object
  }

  /** Throws ApiError (500) when the stored bytes are not an object. */
  get object(): Stored<KubeObject> {
    return (this.#object ??= this.#decode())
  }

  /** The object as its clients get it. */
  get json(): Buffer {
    return (this.#json ??= this.passingJson)
  }

  /** The same for a list, which needs it for a moment: tens of thousands of them would not be worth keeping. */
  get passingJson(): Buffer {
    // What was only tried to be created has no version.
    if (this.revision === 0) return Buffer.from(this.value)
    return (
      this.#json ??
      this.#codec.splice(this.value, this.revision) ??
      Buffer.from(JSON.stringify(this.object))
    )
  }

  /** The same as an item of a typed list: without its kind, which the list tells. */
  get itemJson(): Buffer {
    return (
      this.#codec.splice(this.value, this.revision, true) ??
      Buffer.from(JSON.stringify(withoutKind(this.object)))
    )
  }

  /** The same content under another revision: what a DELETED event carries. */
  at(revision: number): StoredObject {
    const known = this.#object
    const object =
      known === undefined
        ? undefined
        : { ...known, metadata: { ...known.metadata, resourceVersion: String(revision) } }
    return new StoredObject(this.#codec, this.key, this.value, revision, object)
  }

  #decode(): Stored<KubeObject> {
    let parsed: unknown
    try {
      parsed = JSON.parse(Buffer.from(this.value).toString('utf8'))
    } catch {
      throw internalError(`the stored value of ${this.key} is not JSON`)
    }
    if (!isStoredShape(parsed)) throw internalError(`the stored value of ${this.key} is no object`)
    parsed.metadata.resourceVersion = String(this.revision)
    // Objects of a custom kind may have been written when another version was the stored one.
    if (!this.#codec.keepsVersion) parsed.apiVersion = this.#codec.apiVersion
    return parsed as unknown as Stored<KubeObject>
  }
}

/** The object as an item of a typed list. */
export const withoutKind = (object: {
  readonly apiVersion?: unknown
  readonly kind?: unknown
}): object => {
  const { apiVersion: _version, kind: _kind, ...item } = object
  return item
}

/** Whether a stored value may be one of ours; anything else under /registry/ (another program's protobuf) is not served. */
export const isJsonObject = (value: Uint8Array): boolean => value[0] === 0x7b

const isStoredShape = (
  value: unknown,
): value is { apiVersion: string; metadata: { name: string; resourceVersion: string } } =>
  typeof value === 'object' &&
  value !== null &&
  'metadata' in value &&
  typeof value.metadata === 'object' &&
  value.metadata !== null &&
  'name' in value.metadata &&
  typeof value.metadata.name === 'string'
