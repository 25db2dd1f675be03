// The policies of one kind that are bound, with their bindings: read again when one has changed.
import type { KubeObject, ResourceType } from '../../resources/object.ts'
import type { Registry } from '../registry/registry.ts'

/** A policy and where it holds. */
export interface BoundPolicy<P, B> {
  readonly policy: P
  readonly bindings: readonly B[]
}

export class BoundPolicies<
  P extends KubeObject,
  B extends KubeObject & { readonly spec: { readonly policyName?: string } },
> {
  readonly #find: (type: ResourceType) => Registry | undefined
  readonly #types: { readonly policy: ResourceType; readonly binding: ResourceType }
  #seen: { readonly policies: number; readonly bindings: number } | undefined
  #bound: readonly BoundPolicy<P, B>[] = []

  /** The registries of the two types have objects of P and B. */
  constructor(
    find: (type: ResourceType) => Registry | undefined,
    types: { readonly policy: ResourceType; readonly binding: ResourceType },
  ) {
    this.#find = find
    this.#types = types
  }

  /** In the order of their names. */
  get(): readonly BoundPolicy<P, B>[] {
    const policies = this.#find(this.#types.policy)?.cache
    const bindings = this.#find(this.#types.binding)?.cache
    if (policies === undefined || bindings === undefined) return []
    const seen = { policies: policies.lastChange, bindings: bindings.lastChange }
    if (this.#seen?.policies !== seen.policies || this.#seen.bindings !== seen.bindings) {
      this.#seen = seen
      const all = [...bindings.list('')].map(({ object }) => object as unknown as B)
      this.#bound = [...policies.list('')].flatMap(({ object }) => {
        const own = all.filter(({ spec }) => spec.policyName === object.metadata.name)
        return own.length === 0 ? [] : [{ policy: object as unknown as P, bindings: own }]
      })
    }
    return this.#bound
  }
}
