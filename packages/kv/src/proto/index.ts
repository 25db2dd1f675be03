// The codec of etcd's messages: everything other folders may use of it.
export {
  decodeCampaignRequest,
  decodeLeaderRequest,
  decodeLeaderResponse,
  decodeLockRequest,
  decodeProclaimRequest,
  decodeResignRequest,
  decodeUnlockRequest,
  encodeCampaignResponse,
  encodeLeaderResponse,
  encodeLockResponse,
} from './concurrency-messages.ts'
export type { LeaderKey } from './concurrency-messages.ts'
export { decodeAuthRequest, encodeAuthRequest } from './auth-messages.ts'
export type { AuthRequest, AuthRequestName } from './auth-messages.ts'
export {
  decodeEvent,
  decodeKeyValue,
  encodeEvent,
  encodeKeyValue,
  encodeTombstone,
  eventType,
  withoutValue,
} from './key-value.ts'
export type { DecodedEvent } from './key-value.ts'
export {
  decodeCompactionRequest,
  decodeDeleteRangeRequest,
  decodePutRequest,
  decodeRangeRequest,
  encodeCompactionRequest,
  encodeDeleteRangeRequest,
  encodePutRequest,
  encodeMaxStaleness,
  encodeRangeRequest,
} from './kv-requests.ts'
export {
  decodeDeleteRangeResponse,
  decodeHeaderOnlyResponse,
  decodePutResponse,
  decodeRangeResponse,
  decodeTxnResponse,
  encodeDeleteRangeResponse,
  encodeHeaderOnlyResponse,
  encodePutResponse,
  encodeRangeResponse,
  encodeTxnResponse,
} from './kv-responses.ts'
export {
  decodeLeaseCheckpointRequest,
  decodeLeaseGrantRequest,
  decodeLeaseGrantResponse,
  decodeLeaseKeepAliveRequest,
  decodeLeaseKeepAliveResponse,
  decodeLeaseLeasesResponse,
  decodeLeaseRevokeRequest,
  decodeLeaseTimeToLiveRequest,
  decodeLeaseTimeToLiveResponse,
  encodeLeaseCheckpointRequest,
  encodeLeaseGrantRequest,
  encodeLeaseGrantResponse,
  encodeLeaseKeepAliveRequest,
  encodeLeaseKeepAliveResponse,
  encodeLeaseLeasesResponse,
  encodeLeaseRevokeRequest,
  encodeLeaseTimeToLiveRequest,
  encodeLeaseTimeToLiveResponse,
} from './lease-messages.ts'
export type { LeaseIdRequest, LeaseTimeToLiveRequest } from './lease-messages.ts'
export {
  decodeAlarmMember,
  decodeAlarmRequest,
  decodeAlarmResponse,
  decodeHashKvRequest,
  decodeHashKvResponse,
  decodeMemberListRequest,
  decodeMemberListResponse,
  decodeSnapshotResponse,
  decodeStatusResponse,
  encodeAlarmMember,
  encodeAlarmRequest,
  encodeAlarmResponse,
  encodeHashKvRequest,
  encodeHashKvResponse,
  encodeHashResponse,
  encodeMemberListRequest,
  encodeMemberListResponse,
  encodeSnapshotResponse,
  encodeStatusResponse,
} from './maintenance-messages.ts'
export {
  decodeDowngradeRequest,
  decodeDowngradeResponse,
  decodeMemberAddRequest,
  decodeMemberAddResponse,
  decodeMemberIdRequest,
  decodeMemberUpdateRequest,
  decodeMoveLeaderRequest,
  encodeDowngradeRequest,
  encodeDowngradeResponse,
  encodeMemberAddRequest,
  encodeMemberAddResponse,
  encodeMemberIdRequest,
  encodeMemberUpdateRequest,
  encodeMoveLeaderRequest,
  downgradeAction,
} from './cluster-messages.ts'
export type {
  DowngradeRequest,
  MemberAddRequest,
  MemberIdRequest,
  MemberUpdateRequest,
  MoveLeaderRequest,
} from './cluster-messages.ts'
export type {
  AlarmRequest,
  HashKvRequest,
  MemberListRequest,
  SnapshotResponse,
} from './maintenance-messages.ts'
export {
  decodeQuotaListResponse,
  decodeQuotaRemoveRequest,
  decodeQuotaRule,
  decodeQuotaSetRequest,
  encodeQuotaListResponse,
  encodeQuotaRemoveRequest,
  encodeQuotaRule,
  encodeQuotaSetRequest,
} from './quota-messages.ts'
export type {
  QuotaListResponse,
  QuotaRemoveRequest,
  QuotaRuleMessage,
  QuotaUseMessage,
} from './quota-messages.ts'
export { decodeTxnRequest, encodeTxnRequest, withGivenEnds } from './txn-request.ts'
export {
  decodeWatchRequest,
  decodeWatchResponse,
  encodeWatchRequest,
  encodeWatchResponse,
} from './watch-messages.ts'
export type { WatchRequest } from './watch-messages.ts'
export { decodeMessage, encodeMessage, messageDepthMax } from './wire/message-codec.ts'
export type { FieldValue, MessageObject } from './wire/message-codec.ts'
export { schemaOf } from './wire/schema.ts'
export type { Field, MessageSchema } from './wire/schema.ts'
export type { MessageName } from './wire/schema-table.ts'
