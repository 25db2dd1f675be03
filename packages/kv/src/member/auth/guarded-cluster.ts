// The Cluster service for one caller: everybody may look, root alone may change. Asked on every request whether this member is a learner.
import { KvError } from '../../errors.ts'
import { decodeMemberAddRequest, decodeMemberUpdateRequest } from '../../proto/index.ts'
import type {
  DowngradeResponse,
  MemberAddResponse,
  MemberListResponse,
  MemberRecord,
} from '../../proto/messages.ts'
import type { ClusterApi } from '../cluster-api.ts'
import { checkPeerUrls } from '../peer-urls.ts'
import type { Done } from '../types.ts'

/** Runs what only root may do, or refuses. */
export type AsAdmin = (done: Done<never>, run: () => void) => void

export class GuardedCluster implements ClusterApi {
  readonly #cluster: ClusterApi
  readonly #asAdmin: AsAdmin

  constructor(cluster: ClusterApi, asAdmin: AsAdmin) {
    this.#cluster = cluster
    this.#asAdmin = asAdmin
  }

  isLearner(): boolean {
    return this.#cluster.isLearner()
  }

  members(): readonly MemberRecord[] {
    return this.#cluster.members()
  }

  version(): string | undefined {
    return this.#cluster.version()
  }

  add(body: Uint8Array, done: Done<MemberAddResponse>): void {
    // As in etcd, bad URLs are said to be bad to whoever asks.
    if (this.#hasGoodUrls(() => decodeMemberAddRequest(body), done)) {
      this.#asAdmin(done, () => this.#cluster.add(body, done))
    }
  }

  remove(body: Uint8Array, done: Done<MemberListResponse>): void {
    this.#asAdmin(done, () => this.#cluster.remove(body, done))
  }

  update(body: Uint8Array, done: Done<MemberListResponse>): void {
    if (this.#hasGoodUrls(() => decodeMemberUpdateRequest(body), done)) {
      this.#asAdmin(done, () => this.#cluster.update(body, done))
    }
  }

  promote(body: Uint8Array, done: Done<MemberListResponse>): void {
    this.#asAdmin(done, () => this.#cluster.promote(body, done))
  }

  moveLeader(body: Uint8Array, done: Done<undefined>): void {
    this.#asAdmin(done, () => this.#cluster.moveLeader(body, done))
  }

  downgrade(body: Uint8Array, done: Done<DowngradeResponse>): void {
    this.#asAdmin(done, () => this.#cluster.downgrade(body, done))
  }

  #hasGoodUrls(decode: () => { peerUrls: readonly string[] }, done: Done<never>): boolean {
    try {
      checkPeerUrls(decode().peerUrls)
      return true
    } catch (reason) {
      done(KvError.from(reason), undefined)
      return false
    }
  }
}
