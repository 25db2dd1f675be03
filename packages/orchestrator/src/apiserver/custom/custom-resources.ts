// Serves what CustomResourceDefinitions define: adds and removes kinds as definitions come, change and go, tells in their status what became
// of them, and deletes their objects with them.
import type { ApiClient, ResourceRef } from '../../client/api-client.ts'
import { Informer } from '../../client/informer.ts'
import { isApiError, isConflict } from '../../client/is-api-error.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import {
  cleanupFinalizer,
  type CustomResourceDefinition,
  customResourceDefinitionType,
} from '../../resources/custom/custom-resource-definition.ts'
import { customTypes, noRules, type RuleCompiler } from '../../resources/custom/custom-type.ts'
import { definitionStatus } from '../../resources/custom/definition-status.ts'
import type { JsonSchema } from '../../resources/custom/json-schema.ts'
import { jsonEqual } from '../../resources/json-equal.ts'
import type { KubeObject, ResourceType, Stored } from '../../resources/object.ts'
import { timestamp } from '../registry/object-metadata.ts'
import type { Registries } from '../registry/registries.ts'

export interface CustomResourcesOptions {
  readonly registries: Registries
  /** In-process, with all rights. */
  readonly client: ApiClient
  readonly onError: (error: Error) => void
}

interface Served {
  readonly spec: CustomResourceDefinition['spec']
  readonly types: readonly ResourceType[]
}

/** Objects of a kind that is being deleted, deleted at the same time. */
const deletesAtOnceMax = 32
const pageItemsMax = 500

export class CustomResources {
  readonly #options: CustomResourcesOptions
  readonly #informer: Informer<CustomResourceDefinition>
  readonly #queue = new WorkQueue()
  readonly #served = new Map<string, Served>()
  #worker: Promise<void> = Promise.resolve()

  constructor(options: CustomResourcesOptions) {
    this.#options = options
    this.#informer = new Informer({ client: options.client, ref: customResourceDefinitionType })
  }

  /** Resolves when every kind that was defined before is served. */
  async start(): Promise<void> {
    this.#informer.start()
    await this.#informer.synced()
    for (const definition of this.#informer.list()) await this.#try(definition.metadata.name)
    this.#informer.onChange((key) => this.#queue.add(key))
    this.#worker = this.#work()
  }

  async close(): Promise<void> {
    this.#informer.close()
    this.#queue.close()
    await this.#worker
  }

  async #work(): Promise<void> {
    for (;;) {
      const name = await this.#queue.take()
      if (name === undefined) return
      await this.#try(name)
      this.#queue.done(name)
    }
  }

  async #try(name: string): Promise<void> {
    try {
      await this.#reconcile(name)
      this.#queue.forget(name)
    } catch (reason) {
      if (!isConflict(reason)) {
        this.#options.onError(reason instanceof Error ? reason : new Error(String(reason)))
      }
      this.#queue.addRateLimited(name)
    }
  }

  async #reconcile(name: string): Promise<void> {
    const definition = this.#informer.get(name)
    if (definition === undefined) {
      this.#withdraw(name)
      return
    }
    if (definition.metadata.deletionTimestamp !== undefined) {
      await this.#end(definition)
      return
    }
    const own = this.#served.get(name)?.types ?? []
    const foreign = this.#options.registries.types.filter(
      (type) => type.group === definition.spec.group && !own.includes(type),
    )
    const now = timestamp(this.#options.registries.now())
    const status = definitionStatus(definition, foreign, now)
    const isAccepted = status.conditions?.some(
      (condition) => condition.type === 'NamesAccepted' && condition.status === 'True',
    )
    if (isAccepted === true) await this.#serve(definition)
    if (!jsonEqual(status, definition.status)) {
      await this.#options.client.update<KubeObject>(
        customResourceDefinitionType,
        { ...definition, status } as KubeObject,
        'status',
      )
    }
  }

  async #serve(definition: Stored<CustomResourceDefinition>): Promise<void> {
    const { name } = definition.metadata
    const before = this.#served.get(name)
    if (before !== undefined && jsonEqual(before.spec, definition.spec)) return
    const types = customTypes(definition, await ruleCompiler(definition))
    const { registries } = this.#options
    const { conversion } = definition.spec
    const webhook = conversion?.strategy === 'Webhook' ? conversion.webhook : undefined
    for (const type of types) await registries.add(type, webhook)
    for (const type of before?.types ?? []) {
      if (!types.some((one) => one.version === type.version)) registries.remove(type)
    }
    this.#served.set(name, { spec: definition.spec, types })
  }

  #withdraw(name: string): void {
    for (const type of this.#served.get(name)?.types ?? []) this.#options.registries.remove(type)
    this.#served.delete(name)
  }

  /** The objects first, then the kind, then the definition. */
  async #end(definition: Stored<CustomResourceDefinition>): Promise<void> {
    const { name, finalizers = [] } = definition.metadata
    if (!finalizers.includes(cleanupFinalizer)) return
    await this.#serve(definition)
    const [type] = this.#served.get(name)?.types ?? []
    if (type !== undefined && !(await this.#deleteAll(type))) {
      // Some wait for their finalizers.
      this.#queue.addRateLimited(name)
      return
    }
    this.#withdraw(name)
    const metadata = {
      ...definition.metadata,
      finalizers: finalizers.filter((one) => one !== cleanupFinalizer),
    }
    await this.#options.client.update(customResourceDefinitionType, { ...definition, metadata })
  }

  /** Whether none is left. */
  async #deleteAll(ref: ResourceRef): Promise<boolean> {
    const { client } = this.#options
    const { items } = await client.list(ref, { limit: pageItemsMax })
    for (let at = 0; at < items.length; at += deletesAtOnceMax) {
      const some = items.slice(at, at + deletesAtOnceMax)
      await Promise.all(
        some.map(async ({ metadata: { namespace, name } }) => {
          try {
            await client.delete(ref, namespace, name)
          } catch (reason) {
            if (!isApiError(reason, 404)) throw reason
          }
        }),
      )
    }
    return items.length === 0 || (await client.list(ref, { limit: 1 })).items.length === 0
  }
}

/** Rules need a library that is loaded with the first definition that has some. */
const ruleCompiler = async (definition: CustomResourceDefinition): Promise<RuleCompiler> => {
  if (!hasRules(definition)) return () => noRules
  const { compileRules } = await import('./cel-rules.ts')
  return compileRules
}

export const hasRules = (definition: CustomResourceDefinition): boolean => {
  const has = (schema: JsonSchema): boolean =>
    (schema['x-kubernetes-validations'] ?? []).length > 0 ||
    Object.values(schema.properties ?? {}).some(has) ||
    (schema.items !== undefined && has(schema.items)) ||
    (typeof schema.additionalProperties === 'object' && has(schema.additionalProperties))
  return definition.spec.versions.some(({ schema }) => has(schema?.openAPIV3Schema ?? {}))
}
