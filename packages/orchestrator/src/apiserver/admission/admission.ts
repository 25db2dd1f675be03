// What stands between a request and the store: plugins that may complete an object or refuse it. All mutating ones run first, then the
// kind's own validation, then the validating ones, each in the order of the list; in every round of a write's compare-and-swap.
import type { KubeObject, ResourceType, Stored } from '../../resources/object.ts'
import type { User } from '../access/user.ts'
import type { WriteOptions } from '../registry/request-options.ts'

export type AdmissionOperation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'

export interface AdmissionRequest {
  readonly operation: AdmissionOperation
  readonly type: ResourceType
  /** '' for the object itself. */
  readonly subresource: string
  readonly namespace: string | undefined
  readonly name: string
  /** As it would be stored; the body of a CONNECT or of a subresource of its own kind; the stored object for DELETE. */
  readonly object: KubeObject
  /** undefined for CREATE. */
  readonly oldObject: Stored<KubeObject> | undefined
  /** Those of a DELETE are DeleteOptions. */
  readonly options: WriteOptions
  readonly user: User
  readonly dryRun: boolean
  /** Adds a text that the client shows to its user. */
  warn(text: string): void
}

/** Refuses by throwing ApiError. */
export interface AdmissionPlugin {
  readonly name: string
  /** Asked once for each operation of a kind; left out: every request is for this plugin. */
  handles?(operation: AdmissionOperation, type: ResourceType, subresource: string): boolean
  mutate?(request: AdmissionRequest): Promise<KubeObject> | KubeObject
  validate?(request: AdmissionRequest): Promise<void> | void
}

interface Route {
  readonly mutating: readonly Required<Pick<AdmissionPlugin, 'mutate'>>[]
  readonly validating: readonly Required<Pick<AdmissionPlugin, 'validate'>>[]
}

export class Admission {
  readonly #plugins: readonly AdmissionPlugin[]
  /** By kind, then by operation and subresource: most requests concern few plugins. */
  readonly #routes = new WeakMap<ResourceType, Map<string, Route>>()

  constructor(plugins: readonly AdmissionPlugin[]) {
    this.#plugins = plugins
  }

  async mutate(request: AdmissionRequest): Promise<KubeObject> {
    let { object } = request
    for (const plugin of this.#route(request).mutating) {
      const made = plugin.mutate(object === request.object ? request : { ...request, object })
      // Most plugins answer at once.
      object = made instanceof Promise ? await made : made
    }
    return object
  }

  async validate(request: AdmissionRequest): Promise<void> {
    for (const plugin of this.#route(request).validating) {
      const done = plugin.validate(request)
      if (done instanceof Promise) await done
    }
  }

  #route({ type, operation, subresource }: AdmissionRequest): Route {
    let ofType = this.#routes.get(type)
    if (ofType === undefined) {
      ofType = new Map()
      this.#routes.set(type, ofType)
    }
    const key = `${operation}/${subresource}`
    let route = ofType.get(key)
    if (route === undefined) {
      const asked = this.#plugins.filter(
        (plugin) => plugin.handles?.(operation, type, subresource) ?? true,
      )
      route = { mutating: asked.filter(isMutating), validating: asked.filter(isValidating) }
      ofType.set(key, route)
    }
    return route
  }
}

const isMutating = (
  plugin: AdmissionPlugin,
): plugin is AdmissionPlugin & Required<Pick<AdmissionPlugin, 'mutate'>> =>
  plugin.mutate !== undefined

const isValidating = (
  plugin: AdmissionPlugin,
): plugin is AdmissionPlugin & Required<Pick<AdmissionPlugin, 'validate'>> =>
  plugin.validate !== undefined
