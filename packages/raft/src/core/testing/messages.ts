// Messages and members in a given state, in one line each.
import {
  entryType,
  type AppendEntries,
  type AppendEntriesResult,
  type Entry,
  type Heartbeat,
  type HeartbeatResult,
  type Message,
  type RequestVote,
  type RequestVoteResult,
  type RestoredState,
} from '../types.ts'
import { config, entry, fresh, nodeId, TestMember, voters } from './test-cluster.ts'

/** A member 'a' of 'a', 'b', 'c' whose log holds one entry per given term. */
export function memberWith(state: {
  readonly terms?: readonly number[]
  readonly term?: number
  readonly vote?: string
  readonly commit?: number
  readonly applied?: number
  readonly isRecovering?: true
}): TestMember {
  const terms = state.terms ?? []
  const restored: Partial<RestoredState> = {
    hardState: {
      term: state.term ?? terms.at(-1) ?? 0,
      vote: state.vote === undefined ? undefined : nodeId(state.vote),
      commit: state.commit ?? 0,
      ...(state.isRecovering === undefined ? {} : { isRecovering: state.isRecovering }),
    },
    entries: terms.map((term, i) => entry(i + 1, term)),
    appliedIndex: state.applied ?? 0,
  }
  return new TestMember(config('a'), fresh(voters('a', 'b', 'c'), restored))
}

/** What the member says to this message, once its disk is done. */
export function answerOf(member: TestMember, message: Message): Message[] {
  member.core.step(message)
  member.core.verify()
  return member.drain()
}

/** Out of patience: nobody was heard for an election timeout. */
export function timeOut(member: TestMember): Message[] {
  for (let i = 0; i < member.config.electionTicks; i++) member.core.tick()
  return member.drain()
}

/** A candidate 'a' of the next term, its vote for itself durable. */
export function candidate(member: TestMember): TestMember {
  timeOut(member)
  const { term } = member.core.status()
  answerOf(member, voteResult({ term: term + 1, preVote: true }))
  return member
}

/** Leader 'a' of the next term, by the vote of 'b'. Its opening entry is sent and on its own disk. */
export function leader(member: TestMember): TestMember {
  candidate(member)
  answerOf(member, voteResult({ term: member.core.status().term }))
  if (member.core.status().role !== 'leader') throw new Error('a was not elected')
  return member
}

const toA = { from: nodeId('b'), to: nodeId('a') }

export function requestVote(change: Partial<RequestVote>): RequestVote {
  const base = { type: 'requestVote', ...toA, term: 1, lastLogIndex: 0, lastLogTerm: 0 } as const
  return { ...base, preVote: false, force: false, ...change }
}

export function voteResult(change: Partial<RequestVoteResult>): RequestVoteResult {
  const base = { type: 'requestVoteResult', ...toA, term: 1, granted: true } as const
  return { ...base, preVote: false, commit: 0, commitTerm: 0, ...change }
}

export function appendEntries(change: Partial<AppendEntries>): AppendEntries {
  const base = { type: 'appendEntries', ...toA, term: 1, prevLogIndex: 0, prevLogTerm: 0 } as const
  return { ...base, entries: [], commit: 0, ...change }
}

export function appendResult(change: Partial<AppendEntriesResult>): AppendEntriesResult {
  const base = { type: 'appendEntriesResult', ...toA, term: 1, index: 0 } as const
  return { ...base, rejected: false, hintIndex: 0, hintTerm: 0, ...change }
}

export function heartbeat(change: Partial<Heartbeat>): Heartbeat {
  return { type: 'heartbeat', ...toA, term: 1, commit: 0, readSequence: 0, ...change }
}

export function heartbeatResult(change: Partial<HeartbeatResult>): HeartbeatResult {
  return { type: 'heartbeatResult', ...toA, term: 1, readSequence: 0, ...change }
}

export function ofType<T extends Message['type']>(
  messages: readonly Message[],
  type: T,
): Extract<Message, { type: T }>[] {
  return messages.filter((message): message is Extract<Message, { type: T }> => {
    return message.type === type
  })
}

export function termsOf(entries: readonly Entry[]): number[] {
  return entries.filter((each) => each.type === entryType.normal).map((each) => each.term)
}
