// The messages of the Lock and the Election service.
import type { EncodedKeyValue, ResponseHeader } from './messages.ts'
import { emptyHeader } from './response-header.ts'
import { decodeMessage, encodeMessage } from './wire/message-codec.ts'

export interface LockRequest {
  readonly name: Uint8Array
  /** 0n: the server grants one. */
  readonly lease: bigint
}
export interface KeyResponse {
  readonly header: ResponseHeader
  readonly key: Uint8Array
}
/** What a leader shows to prove that it leads. */
export interface LeaderKey {
  readonly name: Uint8Array
  readonly key: Uint8Array
  /** The revision that created the key. */
  readonly rev: number
  readonly lease: bigint
}
export interface CampaignRequest {
  readonly name: Uint8Array
  readonly lease: bigint
  readonly value: Uint8Array
}
export interface ProclaimRequest {
  readonly leader: LeaderKey | undefined
  readonly value: Uint8Array
}
export interface LeaderResponse {
  readonly header: ResponseHeader
  readonly kv: EncodedKeyValue | undefined
}

export function decodeLockRequest(bytes: Uint8Array): LockRequest {
  return decodeMessage('LockRequest', bytes) as unknown as LockRequest
}

export function encodeLockResponse(response: KeyResponse): Uint8Array {
  return encodeMessage('LockResponse', response)
}

export function decodeUnlockRequest(bytes: Uint8Array): { readonly key: Uint8Array } {
  return decodeMessage('UnlockRequest', bytes) as unknown as { key: Uint8Array }
}

export function decodeCampaignRequest(bytes: Uint8Array): CampaignRequest {
  return decodeMessage('CampaignRequest', bytes) as unknown as CampaignRequest
}

export function encodeCampaignResponse(response: {
  readonly header: ResponseHeader
  readonly leader: LeaderKey
}): Uint8Array {
  return encodeMessage('CampaignResponse', response)
}

export function decodeProclaimRequest(bytes: Uint8Array): ProclaimRequest {
  return decodeMessage('ProclaimRequest', bytes) as unknown as ProclaimRequest
}

export function decodeResignRequest(bytes: Uint8Array): Pick<ProclaimRequest, 'leader'> {
  return decodeMessage('ResignRequest', bytes) as unknown as Pick<ProclaimRequest, 'leader'>
}

export function decodeLeaderRequest(bytes: Uint8Array): { readonly name: Uint8Array } {
  return decodeMessage('LeaderRequest', bytes) as unknown as { name: Uint8Array }
}

export function encodeLeaderResponse(response: LeaderResponse): Uint8Array {
  return encodeMessage('LeaderResponse', response)
}

export function decodeLeaderResponse(bytes: Uint8Array): LeaderResponse {
  const message = decodeMessage('LeaderResponse', bytes) as unknown as Partial<LeaderResponse>
  return { header: message.header ?? emptyHeader, kv: message.kv }
}
