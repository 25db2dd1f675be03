// The messages of the Cluster service that change something, and those of Maintenance that go with them.
import type { DowngradeResponse, MemberAddResponse } from './messages.ts'
import { decodeMessage, encodeMessage } from './wire/message-codec.ts'

export interface MemberAddRequest {
  readonly peerUrls: readonly string[]
  readonly isLearner: boolean
}
/** Of MemberRemove and MemberPromote. */
export interface MemberIdRequest {
  readonly id: bigint
}
export interface MemberUpdateRequest {
  readonly id: bigint
  readonly peerUrls: readonly string[]
}
export interface MoveLeaderRequest {
  readonly targetId: bigint
}
export const downgradeAction = { validate: 0, enable: 1, cancel: 2 } as const
export interface DowngradeRequest {
  readonly action: number
  readonly version: string
}

export function encodeMemberAddRequest(request: MemberAddRequest): Uint8Array {
  return encodeMessage('MemberAddRequest', request)
}

export function decodeMemberAddRequest(bytes: Uint8Array): MemberAddRequest {
  return decodeMessage('MemberAddRequest', bytes) as unknown as MemberAddRequest
}

export function encodeMemberAddResponse(response: MemberAddResponse): Uint8Array {
  return encodeMessage('MemberAddResponse', response)
}

export function decodeMemberAddResponse(bytes: Uint8Array): MemberAddResponse {
  return decodeMessage('MemberAddResponse', bytes) as unknown as MemberAddResponse
}

export function encodeMemberIdRequest(request: MemberIdRequest): Uint8Array {
  return encodeMessage('MemberRemoveRequest', request)
}

export function decodeMemberIdRequest(bytes: Uint8Array): MemberIdRequest {
  return decodeMessage('MemberRemoveRequest', bytes) as unknown as MemberIdRequest
}

export function encodeMemberUpdateRequest(request: MemberUpdateRequest): Uint8Array {
  return encodeMessage('MemberUpdateRequest', request)
}

export function decodeMemberUpdateRequest(bytes: Uint8Array): MemberUpdateRequest {
  return decodeMessage('MemberUpdateRequest', bytes) as unknown as MemberUpdateRequest
}

export function encodeMoveLeaderRequest(request: MoveLeaderRequest): Uint8Array {
  return encodeMessage('MoveLeaderRequest', request)
}

export function decodeMoveLeaderRequest(bytes: Uint8Array): MoveLeaderRequest {
  return decodeMessage('MoveLeaderRequest', bytes) as unknown as MoveLeaderRequest
}

export function encodeDowngradeRequest(request: DowngradeRequest): Uint8Array {
  return encodeMessage('DowngradeRequest', request)
}

export function decodeDowngradeRequest(bytes: Uint8Array): DowngradeRequest {
  return decodeMessage('DowngradeRequest', bytes) as unknown as DowngradeRequest
}

export function encodeDowngradeResponse(response: DowngradeResponse): Uint8Array {
  return encodeMessage('DowngradeResponse', response)
}

export function decodeDowngradeResponse(bytes: Uint8Array): DowngradeResponse {
  return decodeMessage('DowngradeResponse', bytes) as unknown as DowngradeResponse
}
