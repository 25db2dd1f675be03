// Claims, volumes and classes as the scheduler needs them: which claim waits for which class, which volume is free, who uses a claim.
import type { PersistentVolumeClaim } from '../../resources/storage/persistent-volume-claim.ts'
import type { PersistentVolume } from '../../resources/storage/persistent-volume.ts'
import type { StorageClass } from '../../resources/storage/storage-class.ts'
import type { Stored } from '../../resources/object.ts'

export const bindCompletedAnnotation = 'pv.kubernetes.io/bind-completed'
export const selectedNodeAnnotation = 'volume.kubernetes.io/selected-node'

export class VolumeView {
  readonly #claims = new Map<string, Stored<PersistentVolumeClaim>>()
  readonly #volumes = new Map<string, Stored<PersistentVolume>>()
  readonly #classes = new Map<string, Stored<StorageClass>>()
  readonly #byClass = new Map<string, Set<string>>()
  /** Volumes given to a claim by a decision that is on its way, by volume. */
  readonly #assumed = new Map<string, string>()
  readonly #users = new Map<string, number>()

  /** By `NAMESPACE/NAME`. */
  claim(key: string): Stored<PersistentVolumeClaim> | undefined {
    return this.#claims.get(key)
  }
  volume(name: string): Stored<PersistentVolume> | undefined {
    return this.#volumes.get(name)
  }
  storageClass(name: string): Stored<StorageClass> | undefined {
    return this.#classes.get(name)
  }
  /** Placed pods that mount the claim. */
  users(claimKey: string): number {
    return this.#users.get(claimKey) ?? 0
  }

  setClaim(key: string, claim: Stored<PersistentVolumeClaim> | undefined): void {
    if (claim === undefined) this.#claims.delete(key)
    else this.#claims.set(key, claim)
  }
  setClass(name: string, storageClass: Stored<StorageClass> | undefined): void {
    if (storageClass === undefined) this.#classes.delete(name)
    else this.#classes.set(name, storageClass)
  }
  setVolume(name: string, volume: Stored<PersistentVolume> | undefined): void {
    const before = this.#volumes.get(name)?.spec.storageClassName ?? ''
    this.#byClass.get(before)?.delete(name)
    if (volume === undefined) {
      this.#volumes.delete(name)
      this.#assumed.delete(name)
      return
    }
    this.#volumes.set(name, volume)
    if (volume.spec.claimRef !== undefined) this.#assumed.delete(name)
    const className = volume.spec.storageClassName ?? ''
    const known = this.#byClass.get(className)
    if (known === undefined) this.#byClass.set(className, new Set([name]))
    else known.add(name)
  }

  /** Volumes of the class that no other claim has. */
  freeVolumes(className: string, claimKey: string): Stored<PersistentVolume>[] {
    const found: Stored<PersistentVolume>[] = []
    for (const name of this.#byClass.get(className) ?? []) {
      const volume = this.#volumes.get(name)
      if (volume === undefined || volume.metadata.deletionTimestamp !== undefined) continue
      const { claimRef } = volume.spec
      const owner =
        claimRef === undefined
          ? this.#assumed.get(name)
          : `${claimRef.namespace ?? ''}/${claimRef.name ?? ''}`
      if (owner === undefined || owner === claimKey) found.push(volume)
    }
    return found
  }

  assume(volume: string, claimKey: string): void {
    this.#assumed.set(volume, claimKey)
  }
  forget(volume: string): void {
    this.#assumed.delete(volume)
  }

  use(claimKeys: readonly string[], sign: 1 | -1): void {
    for (const key of claimKeys) {
      const next = this.users(key) + sign
      if (next === 0) this.#users.delete(key)
      else this.#users.set(key, next)
    }
  }
}
