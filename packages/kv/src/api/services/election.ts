// v3electionpb.Election: leader election for clients without a library. The oldest key below the name leads, and its value is what the
// leader proclaims.
import { KvError } from '../../errors.ts'
import type { KvPair } from '../../kv.ts'
import { EmbeddedKv } from '../../member/embedded-kv.ts'
import type { MemberApi } from '../../member/types.ts'
import {
  decodeCampaignRequest,
  decodeLeaderRequest,
  decodeProclaimRequest,
  decodeResignRequest,
  encodeCampaignResponse,
  encodeHeaderOnlyResponse,
  encodeKeyValue,
  encodeLeaderResponse,
} from '../../proto/index.ts'
import type { LeaderKey } from '../../proto/index.ts'
import { enterQueue, queuePrefix, waitForOlder } from '../../recipes/key-queue.ts'
import { observeHead } from '../../recipes/observe-head.ts'
import { sessionLease } from './lock.ts'
import { replyLater } from './method.ts'
import type { Method, ReplyStream, RequestStream } from './method.ts'

export const electionMethods: readonly Method[] = [
  {
    kind: 'unary',
    path: '/v3electionpb.Election/Campaign',
    routes: ['/election/campaign'],
    request: 'CampaignRequest',
    response: 'CampaignResponse',
    call: (member, body, reply) => {
      const request = decodeCampaignRequest(body)
      return replyLater(reply, (signal) => campaign(member, request, signal))
    },
  },
  {
    kind: 'unary',
    path: '/v3electionpb.Election/Proclaim',
    routes: ['/election/proclaim'],
    request: 'ProclaimRequest',
    response: 'ProclaimResponse',
    call: (member, body, reply) => {
      const { leader, value } = decodeProclaimRequest(body)
      return replyLater(reply, () => proclaim(member, leader, value))
    },
  },
  {
    kind: 'unary',
    path: '/v3electionpb.Election/Leader',
    routes: ['/election/leader'],
    request: 'LeaderRequest',
    response: 'LeaderResponse',
    call: (member, body, reply) => {
      const { name } = decodeLeaderRequest(body)
      return replyLater(reply, () => leader(member, name))
    },
  },
  {
    kind: 'stream',
    path: '/v3electionpb.Election/Observe',
    routes: ['/election/observe'],
    request: 'LeaderRequest',
    response: 'LeaderResponse',
    open: openObserve,
  },
  {
    kind: 'unary',
    path: '/v3electionpb.Election/Resign',
    routes: ['/election/resign'],
    request: 'ResignRequest',
    response: 'ResignResponse',
    call: (member, body, reply) => {
      const { leader } = decodeResignRequest(body)
      return replyLater(reply, () => resign(member, leader))
    },
  },
]

async function campaign(
  member: MemberApi,
  request: { readonly name: Uint8Array; readonly lease: bigint; readonly value: Uint8Array },
  signal: AbortSignal,
): Promise<Uint8Array> {
  const kv = new EmbeddedKv(member)
  const { name, value } = request
  const lease = await sessionLease(kv, request.lease)
  const contender = lease.toString(16)
  const place = await enterQueue(kv, { name, contender, lease, value })
  const { key, createRevision, revision, existing } = place
  const own = { name, key, rev: createRevision, lease }
  try {
    if (existing !== undefined && Buffer.compare(existing.value, value) !== 0) {
      await proclaim(member, own, value)
    }
    await waitForOlder(kv, { prefix: queuePrefix(name), revision: createRevision, signal })
    // A candidate whose lease ran out while it waited must not believe that it leads.
    if ((await kv.get(key)) === undefined) throw new KvError('ELECTION_NOT_LEADER')
  } catch (reason) {
    await giveUpKey(kv, own)
    throw reason
  }
  return encodeCampaignResponse({ header: { ...member.header(), revision }, leader: own })
}

/** Only who still holds the key may change what it says. */
async function proclaim(
  member: MemberApi,
  leader: LeaderKey | undefined,
  value: Uint8Array,
): Promise<Uint8Array> {
  if (leader === undefined) throw new KvError('LEADER_KEY_MISSING')
  const kv = new EmbeddedKv(member)
  const lease = await sessionLease(kv, leader.lease)
  const { key, rev } = leader
  const { succeeded, revision } = await kv.txn({
    if: [{ key, target: 'create', is: '=', than: rev }],
    then: [{ op: 'put', key, value, lease }],
  })
  if (!succeeded) throw new KvError('ELECTION_NOT_LEADER')
  return encodeHeaderOnlyResponse({ header: { ...member.header(), revision } })
}

async function leader(member: MemberApi, name: Uint8Array): Promise<Uint8Array> {
  const { pairs, revision } = await new EmbeddedKv(member).range({
    prefix: queuePrefix(name),
    sort: { by: 'create', order: 'ascend' },
    limit: 1,
  })
  const [pair] = pairs
  if (pair === undefined) throw new KvError('ELECTION_NO_LEADER')
  return encodeLeader(member, pair, revision)
}

async function resign(member: MemberApi, leader: LeaderKey | undefined): Promise<Uint8Array> {
  if (leader === undefined) throw new KvError('LEADER_KEY_MISSING')
  const { revision } = await giveUpKey(new EmbeddedKv(member), leader)
  return encodeHeaderOnlyResponse({ header: { ...member.header(), revision } })
}

function giveUpKey(
  kv: EmbeddedKv,
  { key, rev }: Pick<LeaderKey, 'key' | 'rev'>,
): Promise<{ readonly revision: number }> {
  return kv.txn({
    if: [{ key, target: 'create', is: '=', than: rev }],
    then: [{ op: 'delete', key }],
  })
}

function encodeLeader(member: MemberApi, pair: KvPair, revision: number): Uint8Array {
  return encodeLeaderResponse({
    header: { ...member.header(), revision },
    kv: encodeKeyValue(pair),
  })
}

/** Tells who leads now, then every change, until the client goes. */
function openObserve(member: MemberApi, out: ReplyStream): RequestStream {
  const gone = new AbortController()
  let resume = (): void => undefined
  const observe = async (name: Uint8Array): Promise<void> => {
    try {
      const leaders = observeHead(new EmbeddedKv(member), name, gone.signal)
      for await (const { pair, revision } of leaders) {
        if (out.send(encodeLeader(member, pair, revision))) continue
        await new Promise<void>((resolve) => {
          resume = resolve
        })
      }
    } catch (reason) {
      out.end(KvError.from(reason))
    }
  }
  return {
    message: (body) => void observe(decodeLeaderRequest(body).name),
    halfClosed: () => undefined,
    writable: () => resume(),
    closed: () => {
      gone.abort()
      resume()
    },
  }
}
