// The version that all members have at least, settled by the leader through the log, and etcd's downgrade of it by one minor.
import { KvError } from '../errors.ts'
import { downgradeAction, type DowngradeRequest } from '../proto/index.ts'
import type { MemberRecord } from '../proto/messages.ts'
import { encodeClusterCommand, type ClusterBook } from './cluster-book.ts'
import type { Consensus } from './consensus.ts'
import { idText } from './identity.ts'
import type { LogGate } from './log-gate.ts'
import type { MemberClock } from './member-clock.ts'
import type { CommandResult, KvStateMachine } from './state-machine.ts'

/** How often the leader looks whether the members have another version than before; sooner while none is settled. */
const checkMs = 4000
const firstCheckMs = 100

export interface ClusterVersionOptions {
  readonly consensus: Consensus<CommandResult>
  readonly stateMachine: KvStateMachine
  readonly gate: LogGate
  readonly clock: MemberClock
  readonly members: () => readonly MemberRecord[]
  /** Called at each look. */
  readonly onCheck: () => void
}

export class ClusterVersion {
  readonly #options: ClusterVersionOptions
  #cancel: () => void = () => undefined

  constructor(options: ClusterVersionOptions) {
    this.#options = options
    this.#schedule()
  }

  get text(): string | undefined {
    return this.#book.version
  }

  stop(): void {
    this.#cancel()
  }

  /** What must be told to the log for this request, if anything. Throws what is wrong with it. */
  downgradeTarget({ action, version }: DowngradeRequest): string | undefined {
    const { version: current, downgradeTarget } = this.#book
    if (action === downgradeAction.cancel) {
      if (downgradeTarget === '') throw new KvError('NO_DOWNGRADE')
      return ''
    }
    const target = parseVersion(version)
    if (target === undefined) throw new KvError('DOWNGRADE_FORMAT')
    const now = current === undefined ? undefined : parseVersion(current)
    if (now === undefined) throw new KvError('CLUSTER_VERSION_UNAVAILABLE')
    if (target.major !== now.major || target.minor !== now.minor - 1) {
      throw new KvError('DOWNGRADE_VERSION')
    }
    if (downgradeTarget !== '') throw new KvError('DOWNGRADE_IN_PROGRESS')
    return action === downgradeAction.enable ? textOf(target) : undefined
  }

  get #book(): ClusterBook {
    return this.#options.stateMachine.cluster
  }

  #schedule(): void {
    const ms = this.#book.version === undefined ? firstCheckMs : checkMs
    this.#cancel = this.#options.clock.setTimer(ms, () => {
      if (this.#options.gate.isClosed) return
      this.#check()
      this.#options.onCheck()
      this.#schedule()
    })
  }

  #check(): void {
    const { consensus, gate } = this.#options
    if (consensus.status().role !== 'leader') return
    const lowest = this.#lowest()
    const { version, downgradeTarget } = this.#book
    const ignore = (): void => undefined
    if (downgradeTarget !== '' && lowest === downgradeTarget) {
      // Everybody has arrived there.
      gate.propose('cluster', encodeClusterCommand({ op: 'downgrade', target: '' }), ignore)
    }
    if (lowest === undefined || lowest === version) return
    const isRaised = version === undefined || isNewer(lowest, version)
    if (isRaised || lowest === downgradeTarget) {
      gate.propose('cluster', encodeClusterCommand({ op: 'version', version: lowest }), ignore)
    }
  }

  /** Undefined if nobody has said his version yet. */
  #lowest(): string | undefined {
    let lowest: string | undefined
    for (const { id } of this.#options.members()) {
      const said = this.#book.members.get(idText(id))?.version
      const parsed = said === undefined ? undefined : parseVersion(said)
      if (parsed === undefined) continue
      const text = textOf(parsed)
      if (lowest === undefined || isNewer(lowest, text)) lowest = text
    }
    return lowest
  }
}

interface Version {
  readonly major: number
  readonly minor: number
}

/** '3.5' and '3.5.2'. */
function parseVersion(text: string): Version | undefined {
  const match = /^(\d{1,9})\.(\d{1,9})(?:\.\d+)?(?:[-+].*)?$/.exec(text)
  return match === null ? undefined : { major: Number(match[1]), minor: Number(match[2]) }
}

function textOf({ major, minor }: Version): string {
  return `${major}.${minor}.0`
}

function isNewer(a: string, b: string): boolean {
  const [first, second] = [parseVersion(a), parseVersion(b)]
  if (first === undefined || second === undefined) return first !== undefined
  return first.major > second.major || (first.major === second.major && first.minor > second.minor)
}
