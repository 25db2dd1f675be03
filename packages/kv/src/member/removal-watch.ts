// A member that was removed hears no more from the others, and may not even have seen its removal. So one that misses its leader asks
// them whether it is still part of the cluster. Ids never come back: who is not among the members any more never will be.
import { KvError } from '../errors.ts'
import type { MemberRecord } from '../proto/messages.ts'
import { askMembers } from './member-question.ts'
import type { MemberClock } from './member-clock.ts'
import type { PeerQuestions } from './peer-questions.ts'

export interface RemovalWatchOptions {
  readonly id: bigint
  readonly clusterId: bigint
  readonly clock: MemberClock
  readonly electionTimeoutMs: number
  readonly questions: PeerQuestions
  readonly hasLeader: () => boolean
  readonly members: () => readonly MemberRecord[]
  /** Called once at most. */
  readonly onRemoved: (error: KvError) => void
}

export class RemovalWatch {
  readonly #options: RemovalWatchOptions
  #wasMember = false
  #isOver = false
  #cancel: () => void = () => undefined

  constructor(options: RemovalWatchOptions) {
    this.#options = options
    this.#schedule()
  }

  /** The membership in force here may be another one. One that joins replays those from before it was added. */
  membersChanged(): void {
    const { id, members } = this.#options
    const isMember = members().some((member) => member.id === id)
    if (this.#wasMember && !isMember) this.#removed()
    this.#wasMember ||= isMember
  }

  stop(): void {
    this.#isOver = true
    this.#cancel()
  }

  #schedule(): void {
    const { clock, electionTimeoutMs, hasLeader } = this.#options
    this.#cancel = clock.setTimer(electionTimeoutMs, () => {
      if (this.#isOver) return
      if (!hasLeader()) this.#ask()
      this.#schedule()
    })
  }

  #ask(): void {
    const { id, clusterId, members, questions } = this.#options
    for (const member of members()) {
      const [url] = member.peerUrls
      if (member.id === id || url === undefined) continue
      askMembers(questions, { url, fresh: true }, (answer) => {
        if (answer === undefined || answer.clusterId !== clusterId) return
        if (answer.members.every((one) => one.id !== id)) this.#removed()
      })
    }
  }

  #removed(): void {
    if (this.#isOver) return
    this.stop()
    this.#options.onRemoved(new KvError('MEMBER_REMOVED'))
  }
}
