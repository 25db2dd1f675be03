// Messages, Readys and states in one readable line each, with the fields that matter: `5@2` is index 5 of term 2.
import { decodeMembership } from '../membership.ts'
import {
  entryType,
  type AppendEntries,
  type Entry,
  type HardState,
  type Membership,
  type Message,
  type Persist,
  type RaftStatus,
  type Ready,
} from '../types.ts'
import { text } from './test-cluster.ts'

/** Lists without members and absent ones are left out. */
export function formatMembership(membership: Membership): string {
  const lists = Object.entries(membership) as [string, readonly string[]][]
  return lists
    .filter(([, ids]) => ids.length > 0)
    .map(([name, ids]) => `${name}=${ids.join(',')}`)
    .join(' ')
}

export function formatEntry({ index, term, type, data }: Entry): string {
  if (type === entryType.normal) return `${index}@${term} "${text(data)}"`
  const membership = decodeMembership(data)
  return `${index}@${term} {${membership === undefined ? '?' : formatMembership(membership)}}`
}

function formatEntries(entries: readonly Entry[]): string {
  return entries.map(formatEntry).join(', ')
}

function formatHardState({ term, vote, commit, ...flags }: HardState): string {
  const set = Object.entries(flags).flatMap(([name, value]) => (value === true ? [` ${name}`] : []))
  return `term=${term} vote=${vote ?? '-'} commit=${commit}${set.join('')}`
}

function formatPersist({ snapshot, entries, hardState, mustSync }: Persist): string {
  const parts: string[] = []
  if (snapshot !== undefined) parts.push(`snapshot ${snapshot.index}@${snapshot.term}`)
  if (entries.length > 0) parts.push(formatEntries(entries))
  if (hardState !== undefined) parts.push(formatHardState(hardState))
  return `${mustSync ? 'sync' : 'write'} ${parts.join('; ')}`
}

/** Progress as the leader sees it, and the log's cursors. */
export function formatStatus(status: RaftStatus): string[] {
  const { id, role, term, vote, leader, membership, progress } = status
  const cursors = `log=${status.firstIndex}..${status.lastIndex} persisted=${status.persistedIndex} commit=${status.commitIndex} applied=${status.appliedIndex}`
  return [
    `${id} ${role}${status.isRecovering ? ', recovering,' : ''} term=${term} vote=${vote ?? '-'} leader=${leader ?? '-'} ${cursors} ${formatMembership(membership)}`,
    ...progress.map((peer) => {
      const active = peer.recentActive ? '' : ' inactive'
      return `  ${peer.id} ${peer.state} match=${peer.matchIndex} next=${peer.nextIndex}${active}`
    }),
  ]
}

/** Numbers that start at random (of forwarded reads, of recovery) become small ones, counted per member that asks. */
export class MessageFormat {
  readonly #numbers = new Map<string, number>()

  #number(asker: string, context: number): string {
    const key = `${asker} ${context}`
    const known = [...this.#numbers.keys()].filter((each) => each.startsWith(`${asker} `)).length
    const number = this.#numbers.get(key) ?? known + 1
    this.#numbers.set(key, number)
    return `#${number}`
  }

  message(message: Message): string {
    return `${message.from}>${message.to} ${message.type} t${message.term}${this.#fields(message)}`
  }

  #fields(message: Message): string {
    switch (message.type) {
      case 'requestVote': {
        const { lastLogIndex, lastLogTerm, preVote, force } = message
        const kind = `${preVote ? ' preVote' : ''}${force ? ' force' : ''}`
        return ` last=${lastLogIndex}@${lastLogTerm}${kind}${given('priority', message.priority)}`
      }
      case 'requestVoteResult': {
        const { granted, preVote, commit, commitTerm } = message
        const answer = granted ? 'granted' : 'refused'
        return ` ${answer}${preVote ? ' preVote' : ''} commit=${commit}@${commitTerm}`
      }
      case 'appendEntries':
        return appendFields(message)
      case 'appendEntriesResult': {
        const { index, rejected, hintIndex, hintTerm } = message
        return rejected ? ` rejected=${index} hint=${hintIndex}@${hintTerm}` : ` match=${index}`
      }
      case 'heartbeat':
        return ` commit=${message.commit}${round(message.readSequence)}${given('number', message.number)}`
      case 'heartbeatResult':
        return `${round(message.readSequence)}${given('number', message.number)}${given('promise', message.promiseMs)}`
      case 'installSnapshot': {
        const { index, term, membership } = message.snapshot
        return ` snapshot=${index}@${term} ${formatMembership(membership)}`
      }
      case 'timeoutNow':
        return ''
      case 'propose':
        return ` [${message.payloads.map((payload) => `"${text(payload)}"`).join(', ')}]`
      case 'readIndex':
        return ` ${this.#number(message.from, message.context)}`
      case 'readIndexResult':
        return ` ${this.#number(message.to, message.context)} index=${message.index}`
      case 'recoverRequest':
        return ` ${this.#number(`${message.from} nonce`, message.nonce)}`
      case 'recoverResult':
        return ` ${this.#number(`${message.to} nonce`, message.nonce)} last=${message.lastIndex}`
    }
  }

  /** What a Ready asks for; nothing for what is empty. */
  ready(ready: Ready): string[] {
    const { persist, send, sendAfterPersist, apply, reads, fetch } = ready
    const lines: string[] = []
    for (const message of send) lines.push(`send ${this.message(message)}`)
    if (persist !== undefined) lines.push(formatPersist(persist))
    for (const message of sendAfterPersist) lines.push(`then ${this.message(message)}`)
    if (apply.length > 0) lines.push(`apply ${formatEntries(apply)}`)
    for (const { to, from } of fetch) lines.push(`fetch from ${from} for ${to}`)
    for (const { context, index } of reads) {
      lines.push(index === undefined ? `read ${context}: ask again` : `read ${context} at ${index}`)
    }
    return lines
  }
}

function appendFields({ prevLogIndex, prevLogTerm, entries, commit }: AppendEntries): string {
  return ` prev=${prevLogIndex}@${prevLogTerm} commit=${commit} [${formatEntries(entries)}]`
}

function given(name: string, value: number | undefined): string {
  return value === undefined ? '' : ` ${name}=${value}`
}

function round(readSequence: number): string {
  return readSequence === 0 ? '' : ` round=${readSequence}`
}
