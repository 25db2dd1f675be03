// A core that reports every input it gets, so that the checkers can look at it after each one.
import type { RaftCore } from '../core/raft-core.ts'
import type {
  Core,
  Entry,
  LogIndex,
  Membership,
  Message,
  NodeId,
  ProposeOutcome,
  RaftStatus,
  Ready,
} from '../core/types.ts'

export interface CoreWatcher {
  /** An input has been taken. */
  stepped(): void
  /** A Ready leaves for the shell. */
  handedOut(ready: Ready): void
  /** Everything up to this Ready is durable. */
  persisted(sequence: number): void
  /** A read index is asked for. */
  readAsked(context: number): void
}

export class WatchedCore implements Core {
  readonly #core: RaftCore
  readonly #watcher: CoreWatcher
  /** Asked for many times between two inputs. */
  #status: RaftStatus | undefined

  constructor(core: RaftCore, watcher: CoreWatcher) {
    this.#core = core
    this.#watcher = watcher
  }

  #checked<T>(result: T): T {
    this.#status = undefined
    this.#core.verify()
    this.#watcher.stepped()
    return result
  }

  tick(): void {
    this.#checked(this.#core.tick())
  }

  step(message: Message): void {
    this.#checked(this.#core.step(message))
  }

  propose(payloads: readonly Uint8Array[]): ProposeOutcome {
    return this.#checked(this.#core.propose(payloads))
  }

  proposeMembership(membership: Membership): ProposeOutcome {
    return this.#checked(this.#core.proposeMembership(membership))
  }

  readIndex(context: number): void {
    this.#watcher.readAsked(context)
    this.#checked(this.#core.readIndex(context))
  }

  transferLeadership(to: NodeId | undefined): void {
    this.#checked(this.#core.transferLeadership(to))
  }

  diskStalled(isStalled: boolean): void {
    this.#checked(this.#core.diskStalled(isStalled))
  }

  hasReady(): boolean {
    return this.#core.hasReady()
  }

  ready(): Ready {
    const ready = this.#core.ready()
    this.#status = undefined
    this.#watcher.handedOut(ready)
    return this.#checked(ready)
  }

  persisted(sequence: number): void {
    this.#watcher.persisted(sequence)
    this.#checked(this.#core.persisted(sequence))
  }

  applied(index: LogIndex): void {
    this.#checked(this.#core.applied(index))
  }

  applyMembership(membership: Membership): void {
    this.#checked(this.#core.applyMembership(membership))
  }

  reportUnreachable(id: NodeId): void {
    this.#checked(this.#core.reportUnreachable(id))
  }

  reportSnapshot(id: NodeId, succeeded: boolean): void {
    this.#checked(this.#core.reportSnapshot(id, succeeded))
  }

  fetched(to: NodeId, entries: readonly Entry[] | undefined): void {
    this.#checked(this.#core.fetched(to, entries))
  }

  compact(index: LogIndex): void {
    this.#checked(this.#core.compact(index))
  }

  election(): Pick<RaftStatus, 'term' | 'vote' | 'leader'> {
    return this.#core.election()
  }

  status(): RaftStatus {
    this.#status ??= this.#core.status()
    return this.#status
  }

  /** For checkers. */
  get log(): RaftCore['log'] {
    return this.#core.log
  }

  verify(): void {
    this.#core.verify()
  }
}
