// The Maintenance service's part that is more than a look at this member: alarms go through the log, the hash reads all tables.
import { KvError } from '../errors.ts'
import type { Backend } from '../backend/backend.ts'
import { snapshotImage, type SnapshotImage } from '../etcd-file/snapshot-image.ts'
import { crc32c } from '../mvcc/crc32c.ts'
import { keyText } from '../mvcc/key-text.ts'
import { decodeAlarmRequest } from '../proto/index.ts'
import {
  alarmNames,
  type AlarmMember,
  type AlarmResponse,
  type HashKvResponse,
  type HashResponse,
} from '../proto/messages.ts'
import { answer } from './answer.ts'
import type { DataHash } from './corruption-check.ts'
import type { LogGate } from './log-gate.ts'
import type { MemberMetrics } from './member-metrics.ts'
import { stateRowKey } from './meta-rows.ts'
import type { KvStateMachine } from './state-machine.ts'
import type { Done } from './types.ts'

/** Each one keeps what is overwritten meanwhile. */
export const snapshotsMax = 16

export interface MaintenanceApi {
  /** `body` is an AlarmRequest: lists, raises or clears alarms of the whole cluster, in the order of the log. */
  alarm(body: Uint8Array, done: Done<AlarmResponse>): void
  /** The alarms that this member knows of, with no question to others. */
  alarms(): readonly AlarmMember[]
  /** A checksum over all rows of this member; equal members with unequal compactions differ, so it is for tests only. */
  hash(done: Done<HashResponse>): void
  /** Pins the tables as they are now, to be read as a file of etcd. Throws TOO_MANY_REQUESTS beyond snapshotsMax at a time. */
  snapshot(): SnapshotImage
}

export interface MaintenanceOptions {
  readonly metrics: MemberMetrics
  readonly gate: LogGate
  readonly stateMachine: KvStateMachine
  readonly backend: Backend
}

export class Maintenance implements MaintenanceApi {
  readonly #options: MaintenanceOptions
  #snapshots = 0

  constructor(options: MaintenanceOptions) {
    this.#options = options
  }

  alarm(body: Uint8Array, done: Done<AlarmResponse>): void {
    try {
      decodeAlarmRequest(body)
    } catch (reason) {
      done(KvError.from(reason), undefined)
      return
    }
    this.#options.gate.propose('alarm', body, done)
  }

  alarms(): readonly AlarmMember[] {
    return this.#options.stateMachine.alarms.list()
  }

  /** As Status shows them, blank at the end included. */
  alarmTexts(): string[] {
    // As Go prints the message: a member of id 0 is left out.
    return this.alarms().map(({ memberId, alarm }) => {
      const member = memberId === 0n ? '' : `memberID:${memberId} `
      return `${member}alarm:${alarmNames[alarm] ?? alarm} `
    })
  }

  hash(done: Done<HashResponse>): void {
    const { stateMachine } = this.#options
    answer(done, this.#hash(), (hash) => ({
      header: stateMachine.header(stateMachine.store.revision),
      hash,
    }))
  }

  snapshot(): SnapshotImage {
    if (this.#snapshots >= snapshotsMax) throw new KvError('TOO_MANY_REQUESTS')
    const image = snapshotImage(this.#options.backend)
    this.#snapshots++
    return {
      blobs: () => image.blobs(),
      release: () => {
        this.#snapshots--
        image.release()
      },
    }
  }

  hashKv(revision: number, done: Done<HashKvResponse>): void {
    const { gate, metrics, stateMachine } = this.#options
    if (gate.isClosed) {
      done(new KvError('STOPPED'), undefined)
      return
    }
    // etcd 3.4 refuses the compacted revision itself too, where a range may still read it.
    if (revision > 0 && revision === stateMachine.store.compactRevision) {
      done(new KvError('COMPACTED'), undefined)
      return
    }
    const timed = metrics.hash('revision')
    answer(done, this.hashAt(revision), ({ hash, compactRevision, hashRevision }) => {
      timed()
      const header = stateMachine.header(stateMachine.store.revision)
      return { header, hash, compactRevision, hashRevision }
    })
  }

  /** At a revision, 0 for the newest; before all, as in etcd, for one below 0. Rejects with COMPACTED or FUTURE_REVISION. */
  async hashAt(revision: number): Promise<DataHash> {
    const { store, housekeeping } = this.#options.stateMachine
    store.checkRevision(revision)
    const { compactRevision } = store
    const hashRevision = revision === 0 ? store.revision : revision
    const hash = await housekeeping.hashKv(store, hashRevision)
    return { hash, compactRevision, hashRevision }
  }

  defragment(done: Done<undefined>): void {
    const { stateMachine, metrics } = this.#options
    answer(done, metrics.defragment(stateMachine.housekeeping.defragment()), () => undefined)
  }

  async #hash(): Promise<number> {
    const view = this.#options.backend.view()
    try {
      let crc = 0
      for await (const rows of view.rows('', '\xff')) {
        for (const [key, value] of rows) {
          // The applied index moves without any change of the data.
          if (keyText(key) !== stateRowKey) crc = crc32c(crc32c(crc, key), value)
        }
      }
      return crc
    } finally {
      view.release()
    }
  }
}
