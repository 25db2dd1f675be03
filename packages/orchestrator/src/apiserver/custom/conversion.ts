// Objects of a custom kind in the versions that a webhook makes of them. What is in the store stays as it was stored; an object is converted
// when somebody wants another version of it, once for all who do, and a whole list in one question.
import { randomUUID } from 'node:crypto'
import { ApiError } from '../../client/api-client.ts'
import type { CustomConversion } from '../../resources/custom/custom-resource-definition.ts'
import type { Json, KubeObject, ResourceType } from '../../resources/object.ts'
import { apiVersionOf } from '../../resources/served-version.ts'
import { decodeKind, lenient } from '../registry/decode.ts'
import { ObjectCodec, StoredObject } from '../storage/stored-object.ts'
import type { WebhookClient } from '../webhooks/webhook-client.ts'
import { checkedConversion, conversionReview, readConverted } from './conversion-review.ts'

/** Of a definition: where it is and what it speaks. */
export type ConversionWebhook = NonNullable<CustomConversion['webhook']>

/** As upstream. */
const timeoutSeconds = 30
/** Of one question. */
const objectsMax = 1000

export class Conversion {
  readonly #webhook: ConversionWebhook
  readonly #client: WebhookClient
  /** What became of a stored object, by version; it goes with the object. */
  readonly #made = new WeakMap<StoredObject, Map<string, StoredObject>>()

  constructor(webhook: ConversionWebhook, client: WebhookClient) {
    this.#webhook = webhook
    this.#client = client
  }

  /** `stored` as `type` shows it where that is known; undefined: shown() has to be asked. Throws ApiError. */
  known(stored: StoredObject, type: ResourceType): StoredObject | undefined {
    const apiVersion = apiVersionOf(type)
    return stored.object.apiVersion === apiVersion
      ? stored
      : this.#made.get(stored)?.get(apiVersion)
  }

  /** In the order of `all`. Rejects with ApiError where the webhook fails, for all of them. */
  async shown(all: readonly StoredObject[], type: ResourceType): Promise<readonly StoredObject[]> {
    const unknown = all.filter((stored) => this.known(stored, type) === undefined)
    const listKind = all.length === 1 ? '' : 'List'
    for (let at = 0; at < unknown.length; at += objectsMax) {
      const some = unknown.slice(at, at + objectsMax)
      const objects = some.map((stored) => stored.object)
      const converted = await this.#ask(objects, type, listKind)
      const codec = new ObjectCodec(type)
      for (const [index, stored] of some.entries()) {
        const object = converted[index]
        if (object !== undefined) this.#keep(stored, codec, object)
      }
    }
    return all.map((stored) => this.known(stored, type) ?? stored)
  }

  async one<T extends KubeObject>(object: T, type: ResourceType): Promise<T> {
    if (object.apiVersion === apiVersionOf(type)) return object
    const [converted] = await this.#ask([object], type, '')
    return converted as T
  }

  #keep(stored: StoredObject, codec: ObjectCodec, object: KubeObject): void {
    const { key, revision } = stored
    const metadata = { ...object.metadata, resourceVersion: String(revision) }
    const shown = new StoredObject(codec, key, codec.encode(object), revision, {
      ...object,
      metadata,
    } as StoredObject['object'])
    const made = this.#made.get(stored) ?? new Map<string, StoredObject>()
    this.#made.set(stored, made.set(codec.apiVersion, shown))
  }

  async #ask(
    objects: readonly KubeObject[],
    type: ResourceType,
    listKind: '' | 'List',
  ): Promise<readonly KubeObject[]> {
    const [first] = objects
    if (first === undefined) return []
    const named = `conversion webhook for ${first.apiVersion}, Kind=${first.kind}${listKind}`
    const desired = apiVersionOf(type)
    const answered = await this.#post(objects, desired).catch((reason: unknown) => {
      throw failure(`${named} failed: ${messageOf(reason)}`)
    })
    if (answered.length !== objects.length) {
      throw failure(`${named} returned ${answered.length} objects, expected ${objects.length}`)
    }
    return objects.map((object, index) => {
      try {
        const converted = checkedConversion(object, answered[index] ?? null, desired)
        // What the version's schema does not know is left out, and what it fills in is filled in.
        return type.defaults(decodeKind(type, converted as unknown as Json, lenient))
      } catch (reason) {
        if (reason instanceof ApiError) throw reason
        throw failure(`${named} returned ${messageOf(reason)}`)
      }
    })
  }

  async #post(objects: readonly KubeObject[], desired: string): Promise<readonly Json[]> {
    const { clientConfig, conversionReviewVersions: known } = this.#webhook
    const question = conversionReview(objects, desired, { known, uid: randomUUID() })
    const answer = await this.#client.ask(clientConfig ?? {}, {
      timeoutSeconds,
      body: question.body,
    })
    return readConverted(answer, question)
  }
}

const messageOf = (reason: unknown): string =>
  reason instanceof Error ? reason.message : String(reason)

/** An error without a reason, as upstream answers one that it has no name for. */
const failure = (message: string): ApiError => new ApiError(500, '', message)
