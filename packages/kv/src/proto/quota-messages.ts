// The messages of our Quota service (balsapb): limits of prefixes and users.
import type { ResponseHeader } from './messages.ts'
import { decodeMessage, encodeMessage } from './wire/message-codec.ts'

export interface QuotaRuleMessage {
  readonly prefix: Uint8Array
  readonly user: string
  readonly keysMax: number
  readonly sizeBytesMax: number
  readonly writesPerSecondMax: number
}
export interface QuotaUseMessage {
  readonly rule: QuotaRuleMessage
  readonly keys: number
  readonly sizeBytes: number
  readonly isCounted: boolean
  readonly refused: number
}
export interface QuotaRemoveRequest {
  readonly prefix: Uint8Array
  readonly user: string
}
export interface QuotaListResponse {
  readonly header: ResponseHeader
  readonly quotas: readonly QuotaUseMessage[]
}

export function encodeQuotaRule(rule: QuotaRuleMessage): Uint8Array {
  return encodeMessage('QuotaRule', rule)
}

export function decodeQuotaRule(bytes: Uint8Array): QuotaRuleMessage {
  return decodeMessage('QuotaRule', bytes) as unknown as QuotaRuleMessage
}

export function encodeQuotaSetRequest(rule: QuotaRuleMessage): Uint8Array {
  return encodeMessage('QuotaSetRequest', { rule })
}

/** Undefined: it names no rule. */
export function decodeQuotaSetRequest(bytes: Uint8Array): QuotaRuleMessage | undefined {
  return decodeMessage('QuotaSetRequest', bytes)['rule'] as unknown as QuotaRuleMessage | undefined
}

export function encodeQuotaRemoveRequest(request: QuotaRemoveRequest): Uint8Array {
  return encodeMessage('QuotaRemoveRequest', request)
}

export function decodeQuotaRemoveRequest(bytes: Uint8Array): QuotaRemoveRequest {
  return decodeMessage('QuotaRemoveRequest', bytes) as unknown as QuotaRemoveRequest
}

export function encodeQuotaListResponse(response: QuotaListResponse): Uint8Array {
  return encodeMessage('QuotaListResponse', response)
}

export function decodeQuotaListResponse(bytes: Uint8Array): QuotaListResponse {
  return decodeMessage('QuotaListResponse', bytes) as unknown as QuotaListResponse
}
