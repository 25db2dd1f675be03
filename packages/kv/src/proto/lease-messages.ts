// The Lease service's messages.
import type {
  LeaseGrantRequest,
  LeaseGrantResponse,
  LeaseKeepAliveResponse,
  LeaseLeasesResponse,
  LeaseTimeToLiveResponse,
  ResponseHeader,
} from './messages.ts'
import { emptyHeader } from './response-header.ts'
import { decodeMessage, encodeMessage } from './wire/message-codec.ts'

export interface LeaseIdRequest {
  readonly id: bigint
}
export interface LeaseTimeToLiveRequest {
  readonly id: bigint
  readonly keys: boolean
}

export interface LeaseCheckpointRequest {
  readonly checkpoints: readonly { readonly id: bigint; readonly remainingTtl: number }[]
}

export function encodeLeaseCheckpointRequest(request: LeaseCheckpointRequest): Uint8Array {
  return encodeMessage('LeaseCheckpointRequest', request)
}

export function decodeLeaseCheckpointRequest(bytes: Uint8Array): LeaseCheckpointRequest {
  return decodeMessage('LeaseCheckpointRequest', bytes) as unknown as LeaseCheckpointRequest
}

export function encodeLeaseGrantRequest(request: LeaseGrantRequest): Uint8Array {
  return encodeMessage('LeaseGrantRequest', request)
}

export function decodeLeaseGrantRequest(bytes: Uint8Array): LeaseGrantRequest {
  return decodeMessage('LeaseGrantRequest', bytes) as unknown as LeaseGrantRequest
}

export function encodeLeaseGrantResponse(response: LeaseGrantResponse): Uint8Array {
  return encodeMessage('LeaseGrantResponse', response)
}

export function decodeLeaseGrantResponse(bytes: Uint8Array): LeaseGrantResponse {
  return decodeMessage('LeaseGrantResponse', bytes) as unknown as LeaseGrantResponse
}

export function encodeLeaseRevokeRequest(request: LeaseIdRequest): Uint8Array {
  return encodeMessage('LeaseRevokeRequest', request)
}

export function decodeLeaseRevokeRequest(bytes: Uint8Array): LeaseIdRequest {
  return decodeMessage('LeaseRevokeRequest', bytes) as unknown as LeaseIdRequest
}

export function encodeLeaseKeepAliveRequest(request: LeaseIdRequest): Uint8Array {
  return encodeMessage('LeaseKeepAliveRequest', request)
}

export function decodeLeaseKeepAliveRequest(bytes: Uint8Array): LeaseIdRequest {
  return decodeMessage('LeaseKeepAliveRequest', bytes) as unknown as LeaseIdRequest
}

export function encodeLeaseKeepAliveResponse(response: LeaseKeepAliveResponse): Uint8Array {
  return encodeMessage('LeaseKeepAliveResponse', response)
}

export function decodeLeaseKeepAliveResponse(bytes: Uint8Array): LeaseKeepAliveResponse {
  return decodeMessage('LeaseKeepAliveResponse', bytes) as unknown as LeaseKeepAliveResponse
}

export function encodeLeaseTimeToLiveRequest(request: LeaseTimeToLiveRequest): Uint8Array {
  return encodeMessage('LeaseTimeToLiveRequest', request)
}

export function decodeLeaseTimeToLiveRequest(bytes: Uint8Array): LeaseTimeToLiveRequest {
  return decodeMessage('LeaseTimeToLiveRequest', bytes) as unknown as LeaseTimeToLiveRequest
}

export function encodeLeaseTimeToLiveResponse(response: LeaseTimeToLiveResponse): Uint8Array {
  return encodeMessage('LeaseTimeToLiveResponse', response)
}

export function decodeLeaseTimeToLiveResponse(bytes: Uint8Array): LeaseTimeToLiveResponse {
  return decodeMessage('LeaseTimeToLiveResponse', bytes) as unknown as LeaseTimeToLiveResponse
}

export function encodeLeaseLeasesResponse(response: LeaseLeasesResponse): Uint8Array {
  const leases = response.leases.map((id) => ({ id }))
  return encodeMessage('LeaseLeasesResponse', { header: response.header, leases })
}

export function decodeLeaseLeasesResponse(bytes: Uint8Array): LeaseLeasesResponse {
  const message = decodeMessage('LeaseLeasesResponse', bytes) as unknown as {
    header: ResponseHeader | undefined
    leases: readonly LeaseIdRequest[]
  }
  return { header: message.header ?? emptyHeader, leases: message.leases.map(({ id }) => id) }
}
