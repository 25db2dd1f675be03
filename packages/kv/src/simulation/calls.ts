// What clients have asked and heard, as the checkers see it.
import type {
  DeleteRangeResponse,
  HashKvResponse,
  HeaderOnlyResponse,
  LeaseGrantResponse,
  LeaseKeepAliveResponse,
  LeaseTimeToLiveResponse,
  PutResponse,
  RangeResponse,
  TxnResponse,
} from '../proto/messages.ts'
import type { KvRequest } from './requests.ts'
import type { UserName } from './sim-users.ts'

export interface Call {
  readonly number: number
  readonly client: number
  /** Name of the member that was asked, and which life of it. */
  readonly member: string
  readonly life: number
  readonly request: KvRequest
  /** Undefined: one without a name, or there are no users. */
  readonly user: UserName | undefined
  readonly calledMs: number
  /** The newest revision, and the newest compaction, that anybody had been told of when it was asked. */
  readonly floor: number
  readonly compactFloor: number
}

export interface Answers {
  readonly range: RangeResponse
  readonly put: PutResponse
  readonly deleteRange: DeleteRangeResponse
  readonly txn: TxnResponse
  readonly compact: HeaderOnlyResponse
  readonly leaseGrant: LeaseGrantResponse
  readonly leaseRevoke: HeaderOnlyResponse
  readonly leaseKeepAlive: LeaseKeepAliveResponse
  readonly leaseTimeToLive: LeaseTimeToLiveResponse
  readonly hashKv: HashKvResponse
  readonly defragment: undefined
}

export type Answer = {
  [Type in keyof Answers]: { readonly type: Type; readonly response: Answers[Type] }
}[keyof Answers]

/** A short form for the trace. */
export function describeRequest(request: KvRequest): string {
  return JSON.stringify(request, (_, value: unknown) => {
    if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1')
    return typeof value === 'bigint' ? String(value) : value
  })
}
