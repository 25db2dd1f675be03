// raft's failures as etcd's clients know them.
import { KvError, type KvErrorCode } from '../errors.ts'

const codes: Record<string, KvErrorCode> = {
  NO_LEADER: 'NO_LEADER',
  NOT_LEADER: 'NOT_LEADER',
  OVERLOADED: 'TOO_MANY_REQUESTS',
  TOO_LARGE: 'REQUEST_TOO_LARGE',
  TIMEOUT: 'TIMEOUT',
  CLOSED: 'STOPPED',
  CORRUPT: 'CORRUPT',
}

export function kvErrorFromRaft(reason: Error): KvError {
  if (reason instanceof KvError) return reason
  const raftCode = 'code' in reason && typeof reason.code === 'string' ? reason.code : ''
  const code = codes[raftCode]
  return code === undefined ? KvError.from(reason) : new KvError(code, { cause: reason })
}
