// The messages of the Cluster and Maintenance services.
import type {
  AlarmMember,
  AlarmResponse,
  HashKvResponse,
  HashResponse,
  MemberListResponse,
  StatusResponse,
} from './messages.ts'
import { decodeMessage, encodeMessage } from './wire/message-codec.ts'

/** `action` 0 asks, 1 raises, 2 clears; `memberId` 0n and `alarm` 0 mean all. */
export interface AlarmRequest {
  readonly action: number
  readonly memberId: bigint
  readonly alarm: number
}
export interface HashKvRequest {
  readonly revision: number
}
export interface MemberListRequest {
  readonly linearizable: boolean
}

/** Real etcd's has no header before 3.5. */
export interface SnapshotResponse {
  readonly blob: Uint8Array
  /** Of the file, after this blob. */
  readonly remainingBytes: number
}

export function encodeSnapshotResponse(response: SnapshotResponse): Uint8Array {
  return encodeMessage('SnapshotResponse', response)
}

export function decodeSnapshotResponse(bytes: Uint8Array): SnapshotResponse {
  return decodeMessage('SnapshotResponse', bytes) as unknown as SnapshotResponse
}

export function encodeMemberListRequest(request: MemberListRequest): Uint8Array {
  return encodeMessage('MemberListRequest', request)
}

export function decodeMemberListRequest(bytes: Uint8Array): MemberListRequest {
  return decodeMessage('MemberListRequest', bytes) as unknown as MemberListRequest
}

export function encodeMemberListResponse(response: MemberListResponse): Uint8Array {
  return encodeMessage('MemberListResponse', response)
}

export function decodeMemberListResponse(bytes: Uint8Array): MemberListResponse {
  return decodeMessage('MemberListResponse', bytes) as unknown as MemberListResponse
}

export function encodeStatusResponse(response: StatusResponse): Uint8Array {
  return encodeMessage('StatusResponse', response)
}

export function decodeStatusResponse(bytes: Uint8Array): StatusResponse {
  return decodeMessage('StatusResponse', bytes) as unknown as StatusResponse
}

export function encodeHashKvRequest(request: HashKvRequest): Uint8Array {
  return encodeMessage('HashKVRequest', request)
}

export function decodeHashKvRequest(bytes: Uint8Array): HashKvRequest {
  return decodeMessage('HashKVRequest', bytes) as unknown as HashKvRequest
}

export function encodeHashKvResponse(response: HashKvResponse): Uint8Array {
  return encodeMessage('HashKVResponse', response)
}

export function decodeHashKvResponse(bytes: Uint8Array): HashKvResponse {
  return decodeMessage('HashKVResponse', bytes) as unknown as HashKvResponse
}

export function encodeHashResponse(response: HashResponse): Uint8Array {
  return encodeMessage('HashResponse', response)
}

export function encodeAlarmMember(member: AlarmMember): Uint8Array {
  return encodeMessage('AlarmMember', member)
}

export function decodeAlarmMember(bytes: Uint8Array): AlarmMember {
  return decodeMessage('AlarmMember', bytes) as unknown as AlarmMember
}

export function encodeAlarmRequest(request: AlarmRequest): Uint8Array {
  return encodeMessage('AlarmRequest', request)
}

export function decodeAlarmRequest(bytes: Uint8Array): AlarmRequest {
  return decodeMessage('AlarmRequest', bytes) as unknown as AlarmRequest
}

export function encodeAlarmResponse(response: AlarmResponse): Uint8Array {
  return encodeMessage('AlarmResponse', response)
}

export function decodeAlarmResponse(bytes: Uint8Array): AlarmResponse {
  return decodeMessage('AlarmResponse', bytes) as unknown as AlarmResponse
}
