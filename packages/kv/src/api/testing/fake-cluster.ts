// The cluster of the member of one that carries the wires' tests: nothing can be changed.
import { KvError } from '../../errors.ts'
import type { ClusterApi } from '../../member/cluster-api.ts'
import type { Done } from '../../member/types.ts'
import type { MemberRecord } from '../../proto/messages.ts'

function refuse(_body: Uint8Array, done: Done<never>): void {
  done(new KvError('UNIMPLEMENTED'), undefined)
}

export class FakeCluster implements ClusterApi {
  /** Set to be one. */
  learner = false
  readonly #members: () => readonly MemberRecord[]
  readonly add = refuse
  readonly remove = refuse
  readonly update = refuse
  readonly promote = refuse
  readonly moveLeader = refuse
  readonly downgrade = refuse

  constructor(members: () => readonly MemberRecord[]) {
    this.#members = members
  }

  isLearner(): boolean {
    return this.learner
  }

  members(): readonly MemberRecord[] {
    return this.#members()
  }

  version(): string {
    return '3.6.0'
  }
}
