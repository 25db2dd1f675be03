// A message as a line of the trace.
import type { Message } from '../core/types.ts'

/** Who sends what to whom, in one line. */
export function describeMessage(message: Message): string {
  const base = `${message.from}>${message.to} ${message.type} term ${message.term}`
  switch (message.type) {
    case 'appendEntries': {
      const { prevLogIndex, entries, commit } = message
      return `${base} after ${prevLogIndex} count ${entries.length} commit ${commit}`
    }
    case 'appendEntriesResult':
      return `${base} index ${message.index} ${message.rejected ? 'rejected' : 'matched'}`
    case 'requestVote':
      return `${base} last ${message.lastLogIndex}/${message.lastLogTerm} pre ${message.preVote}`
    case 'requestVoteResult':
      return `${base} granted ${message.granted} pre ${message.preVote}`
    case 'heartbeat':
      return `${base} commit ${message.commit} read ${message.readSequence}`
    case 'heartbeatResult':
      return `${base} read ${message.readSequence}`
    case 'installSnapshot':
      return `${base} index ${message.snapshot.index}`
    case 'propose':
      return `${base} count ${message.payloads.length}`
    case 'readIndex':
      return `${base} context ${message.context}`
    case 'readIndexResult':
      return `${base} context ${message.context} index ${message.index}`
    case 'recoverRequest':
      return `${base} nonce ${message.nonce}`
    case 'recoverResult':
      return `${base} nonce ${message.nonce} last ${message.lastIndex}`
    case 'timeoutNow':
      return base
  }
}
