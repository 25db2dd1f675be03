// Carries out what was decided for a pod's claims before the pod is bound: gives claims their volumes, tells the provisioner for which
// node to make the others, and waits until all are bound.
import type { ApiClient } from '../../client/api-client.ts'
import type { Informer } from '../../client/informer.ts'
import { splitKey } from '../../client/object-cache.ts'
import {
  persistentVolumeClaimType,
  type PersistentVolumeClaim,
} from '../../resources/storage/persistent-volume-claim.ts'
import {
  persistentVolumeType,
  type PersistentVolume,
} from '../../resources/storage/persistent-volume.ts'
import type { VolumeDecision } from '../../scheduler/filters/volume-filter.ts'
import { selectedNodeAnnotation } from '../../scheduler/snapshot/volume-view.ts'

/** As upstream: after that the pod is tried again. */
const bindTimeoutMs = 600_000

export class VolumeBinder {
  readonly #client: ApiClient
  readonly #claims: Informer<PersistentVolumeClaim>
  readonly #waiting = new Set<(isClosing: boolean) => void>()

  constructor(client: ApiClient, claims: Informer<PersistentVolumeClaim>) {
    this.#client = client
    this.#claims = claims
    claims.onChange(() => {
      for (const check of this.#waiting) check(false)
    })
  }

  close(): void {
    for (const check of this.#waiting) check(true)
  }

  /** Resolves when every claim is bound; rejects when that is not so in time. */
  async bind({ bindings, provisions }: VolumeDecision, nodeName: string): Promise<void> {
    for (const { claimKey, volume } of bindings) await this.#reserve(claimKey, volume)
    for (const claimKey of provisions) await this.#select(claimKey, nodeName)
    await this.#bound([...bindings.map(({ claimKey }) => claimKey), ...provisions])
  }

  async #reserve(claimKey: string, volume: string): Promise<void> {
    const claim = this.#claims.get(claimKey)
    if (claim === undefined) throw new Error(`The claim ${claimKey} is gone`)
    const current = await this.#client.get<PersistentVolume>(
      persistentVolumeType,
      undefined,
      volume,
    )
    const { namespace = '', name, uid, resourceVersion } = claim.metadata
    await this.#client.update<PersistentVolume>(persistentVolumeType, {
      ...current,
      metadata: {
        ...current.metadata,
        annotations: {
          ...current.metadata.annotations,
          'pv.kubernetes.io/bound-by-controller': 'yes',
        },
      },
      spec: {
        ...current.spec,
        claimRef: {
          kind: 'PersistentVolumeClaim',
          apiVersion: 'v1',
          namespace,
          name,
          uid,
          resourceVersion,
        },
      },
    })
  }

  async #select(claimKey: string, nodeName: string): Promise<void> {
    const { namespace, name } = splitKey(claimKey)
    await this.#client.patch(persistentVolumeClaimType, namespace, name, 'merge', {
      metadata: { annotations: { [selectedNodeAnnotation]: nodeName } },
    })
  }

  async #bound(claimKeys: readonly string[]): Promise<void> {
    const isBound = (): boolean =>
      claimKeys.every((key) => this.#claims.get(key)?.status?.phase === 'Bound')
    if (isBound()) return
    await new Promise<void>((resolve, reject) => {
      const finish = (failure: string | undefined): void => {
        clearTimeout(timer)
        this.#waiting.delete(check)
        if (failure === undefined) resolve()
        else reject(new Error(failure))
      }
      const check = (isClosing: boolean): void => {
        if (isClosing) finish('The scheduler is closing')
        else if (isBound()) finish(undefined)
      }
      const timer = setTimeout(
        () => finish(`The claims ${claimKeys.join(', ')} were not bound in time`),
        bindTimeoutMs,
      )
      this.#waiting.add(check)
    })
  }
}
