// The admission plugins, in the order in which they are asked; upstream's order where upstream has them.
import type { Registry } from '../registry/registry.ts'
import type { AdmissionPlugin } from './admission.ts'
import { NamespaceLifecycle } from './namespace-lifecycle.ts'
import { ServiceAddresses } from './service-addresses.ts'

/** What plugins look into. */
export interface AdmissionContext {
  /** The registry of a kind of the core group; to be called when a request comes, not before. */
  readonly core: (plural: string) => Registry
  /** Epoch milliseconds. */
  readonly now: () => number
}

export const admissionPlugins = ({ core, now }: AdmissionContext): readonly AdmissionPlugin[] => [
  new NamespaceLifecycle(() => core('namespaces')),
  new ServiceAddresses(() => core('services'), now),
]
