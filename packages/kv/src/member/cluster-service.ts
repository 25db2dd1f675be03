// Who the members are and how that changes, as the wires ask for it.
import { KvError } from '../errors.ts'
import type { MemberRecord } from '../proto/messages.ts'
import type { ClusterApi } from './cluster-api.ts'
import type { ClusterRoster } from './cluster-roster.ts'
import type { Done } from './types.ts'
import { etcdClusterVersion } from './version.ts'

export interface ClusterServiceOptions {
  readonly id: bigint
  readonly roster: ClusterRoster
}

export class ClusterService implements ClusterApi {
  readonly #options: ClusterServiceOptions
  readonly add: typeof refuse = refuse
  readonly remove: typeof refuse = refuse
  readonly update: typeof refuse = refuse
  readonly promote: typeof refuse = refuse
  readonly moveLeader: typeof refuse = refuse
  readonly downgrade: typeof refuse = refuse

  constructor(options: ClusterServiceOptions) {
    this.#options = options
  }

  isLearner(): boolean {
    return this.#options.roster.isLearner(this.#options.id)
  }

  members(): readonly MemberRecord[] {
    return this.#options.roster.list()
  }

  version(): string {
    return etcdClusterVersion
  }
}

function refuse(_body: Uint8Array, done: Done<never>): void {
  done(new KvError('UNIMPLEMENTED'), undefined)
}
