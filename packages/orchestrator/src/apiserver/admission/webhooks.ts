// The two plugins that ask webhooks. Without a configuration they cost a comparison; mutating ones are asked one after another in the order of
// their names, validating ones all at once.
import { ApiError } from '../../client/api-client.ts'
import {
  mutatingWebhookConfigurationType,
  validatingWebhookConfigurationType,
  type Webhook,
  type WebhookConfiguration,
} from '../../resources/admission/webhook-configuration.ts'
import { jsonEqual } from '../../resources/json-equal.ts'
import type { Json, KubeObject, ResourceType } from '../../resources/object.ts'
import type { Authorizer } from '../access/authorizer.ts'
import { badRequest, internalError } from '../api-errors.ts'
import { decodeAs, lenient } from '../registry/decode.ts'
import { applyPatch } from '../registry/patch.ts'
import type { Registry } from '../registry/registry.ts'
import type { Conditions } from '../webhooks/match-conditions.ts'
import {
  admissionReview,
  type AdmissionAnswer,
  denied,
  readAnswer,
} from '../webhooks/admission-review.ts'
import { type MatchContext, matchesRequest } from '../webhooks/match-request.ts'
import type { WebhookClient } from '../webhooks/webhook-client.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'

export interface WebhooksOptions extends MatchContext {
  readonly find: (type: ResourceType) => Registry | undefined
  readonly client: WebhookClient
  /** undefined: everybody may do everything. */
  readonly authorizer: () => Authorizer | undefined
}

/** The webhooks of one side, in order; read again when a configuration changed. */
class WebhookList {
  readonly #registry: () => Registry | undefined
  #seen: { readonly registry: Registry; readonly revision: number } | undefined
  #webhooks: readonly Webhook[] = []

  constructor(registry: () => Registry | undefined) {
    this.#registry = registry
  }

  get(): readonly Webhook[] {
    const registry = this.#registry()
    if (registry === undefined) return []
    const revision = registry.cache.lastChange
    if (this.#seen?.registry !== registry || this.#seen.revision !== revision) {
      this.#seen = { registry, revision }
      this.#webhooks = [...registry.cache.list('')].flatMap(
        ({ object }) => (object as WebhookConfiguration).webhooks ?? [],
      )
    }
    return this.#webhooks
  }
}

class WebhookCaller {
  readonly #options: WebhooksOptions
  readonly #list: WebhookList
  #conditions: Conditions | undefined

  constructor(options: WebhooksOptions, type: ResourceType) {
    this.#options = options
    this.#list = new WebhookList(() => options.find(type))
  }

  get isIdle(): boolean {
    return this.#list.get().length === 0
  }

  async matching(request: AdmissionRequest): Promise<readonly Webhook[]> {
    const known = this.#list.get()
    const matched = known.filter((one) => matchesRequest(one, request, this.#options))
    if (matched.every((one) => (one.matchConditions ?? []).length === 0)) return matched
    const { Conditions } = await import('../webhooks/match-conditions.ts')
    const { authorizerOf } = await import('../policies/cel-authorizer.ts')
    const conditions = (this.#conditions ??= new Conditions())
    const authorizer = authorizerOf(this.#options.authorizer(), request)
    return matched.filter((one) => conditions.hold(one, request, authorizer))
  }

  /** undefined: it could not be asked, and may be passed over. Throws ApiError for a refusal. */
  async call(webhook: Webhook, request: AdmissionRequest): Promise<AdmissionAnswer | undefined> {
    const { name, sideEffects, failurePolicy } = webhook
    if (request.dryRun && sideEffects !== 'None' && sideEffects !== 'NoneOnDryRun') {
      throw badRequest(`admission webhook ${JSON.stringify(name)} does not support dry run`)
    }
    const { uid, review } = admissionReview(request)
    let answer: AdmissionAnswer
    try {
      answer = readAnswer(await this.#options.client.post(webhook, review), uid)
    } catch (reason) {
      if (failurePolicy === 'Ignore') return undefined
      const text = reason instanceof Error ? reason.message : String(reason)
      throw internalError(`failed calling webhook ${JSON.stringify(name)}: ${text}`)
    }
    for (const text of answer.warnings) request.warn(text)
    if (!answer.isAllowed) throw denied(name, answer)
    return answer
  }
}

export class MutatingWebhooks implements AdmissionPlugin {
  readonly name = 'MutatingAdmissionWebhook'
  readonly #caller: WebhookCaller

  constructor(options: WebhooksOptions) {
    this.#caller = new WebhookCaller(options, mutatingWebhookConfigurationType)
  }

  mutate(request: AdmissionRequest): Promise<KubeObject> | KubeObject {
    return this.#caller.isIdle ? request.object : this.#mutate(request)
  }

  async #mutate(request: AdmissionRequest): Promise<KubeObject> {
    const first = await this.#pass(request, await this.#caller.matching(request))
    if (!first.isChangedAfterwards) return first.object
    // Who asked for it sees what those after it changed.
    const again = (await this.#caller.matching(request)).filter(
      ({ reinvocationPolicy }) => reinvocationPolicy === 'IfNeeded',
    )
    return (await this.#pass({ ...request, object: first.object }, again)).object
  }

  async #pass(
    request: AdmissionRequest,
    webhooks: readonly Webhook[],
  ): Promise<{ readonly object: KubeObject; readonly isChangedAfterwards: boolean }> {
    let { object } = request
    let isAsked = false
    let isChangedAfterwards = false
    for (const webhook of webhooks) {
      const answer = await this.#caller.call(webhook, { ...request, object })
      if (answer?.patch !== undefined && request.operation !== 'DELETE') {
        const patched = patchedObject(request.type, object, answer.patch, webhook)
        if (isAsked && !jsonEqual(patched, object)) isChangedAfterwards = true
        object = patched
      }
      isAsked = true
    }
    return { object, isChangedAfterwards }
  }
}

const patchedObject = (
  type: ResourceType,
  object: KubeObject,
  patch: Json,
  { name }: Webhook,
): KubeObject => {
  try {
    const patched = applyPatch(object as unknown as Json, 'json', patch, {})
    // Those of a kind of their own are read by who asked for admission.
    if (object.kind !== type.kind && object.kind !== '') return patched as unknown as KubeObject
    return decodeAs(type, patched, lenient)
  } catch (reason) {
    if (!(reason instanceof ApiError)) throw reason
    throw internalError(
      `the patch of webhook ${JSON.stringify(name)} does not fit: ${reason.message}`,
    )
  }
}

export class ValidatingWebhooks implements AdmissionPlugin {
  readonly name = 'ValidatingAdmissionWebhook'
  readonly #caller: WebhookCaller

  constructor(options: WebhooksOptions) {
    this.#caller = new WebhookCaller(options, validatingWebhookConfigurationType)
  }

  validate(request: AdmissionRequest): Promise<void> | void {
    return this.#caller.isIdle ? undefined : this.#validate(request)
  }

  async #validate(request: AdmissionRequest): Promise<void> {
    const webhooks = await this.#caller.matching(request)
    const results = await Promise.allSettled(
      webhooks.map((webhook) => this.#caller.call(webhook, request)),
    )
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }
}
