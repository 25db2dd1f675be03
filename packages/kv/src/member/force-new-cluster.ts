// etcd's --force-new-cluster: a member whose cluster has lost its quorum for good goes on alone. Nothing is changed without the cluster id
// as confirmation, or while the other members still make a quorum.
import { join } from 'node:path'
import { recoverLostQuorum, type LostQuorumReport, type NodeId } from '@balsa/raft'
import { KvError } from '../errors.ts'
import { idText } from './identity.ts'
import { resolvePlan } from './join-cluster.ts'
import type { MemberOptions, MemberPlan } from './member-options.ts'

/** How long a peer has to answer before it counts as gone. */
const peerTimeoutMs = 1_000

/**
 * `confirm` is the cluster's id; 'true' or nothing only asks what would be done, and rejects with that. Resolves with a text for
 * the operator: what was done, or that there was nothing to do. Rejects with a message that names the flag.
 */
export async function forceNewCluster(options: MemberOptions, confirm: string): Promise<string> {
  const plan = await resolvePlan(options, undefined)
  const { dataDir } = options
  if (dataDir === undefined) throw refusal('needs --data-dir')
  const place = {
    id: idText(plan.id) as NodeId,
    clusterId: idText(plan.clusterId),
    directory: join(dataDir, 'member'),
  }
  const found = await recoverLostQuorum(place)
  if (!found.isNeeded) return `--force-new-cluster has nothing to do: ${found.text} Leave it out.`
  await mustHaveLostQuorum(plan, found)
  if (confirm !== place.clusterId) {
    throw refusal(
      `was not confirmed, nothing was changed. ${found.text} To go on for good, stop the other members and give --force-new-cluster=${place.clusterId}`,
    )
  }
  const { generation } = await recoverLostQuorum({ ...place, confirm })
  return `This member is the only one of the cluster now, generation ${generation}. ${found.text}`
}

/** A quorum that answers needs no force: a member can be removed from it. */
async function mustHaveLostQuorum(
  plan: MemberPlan,
  { membership }: LostQuorumReport,
): Promise<void> {
  const own = idText(plan.id)
  const answering = new Set<string>([own])
  await Promise.all(
    membership.voters.map(async (id) => {
      const [url] = plan.peerUrlsById.get(id) ?? []
      if (id !== own && url !== undefined && (await answers(url))) answering.add(id)
    }),
  )
  const voters = membership.voters.filter((id) => answering.has(id))
  if (voters.length * 2 <= membership.voters.length) return
  const others = voters.filter((id) => id !== own)
  throw refusal(
    `is not needed: the members ${others.join(', ')} answer, and with this one they are a quorum; start it without the flag`,
  )
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(peerTimeoutMs) })
    await response.body?.cancel()
    return true
  } catch (reason) {
    // Whatever the reason: no member can be talked to there.
    if (reason instanceof Error) return false
    throw reason
  }
}

function refusal(text: string): KvError {
  return new KvError('INTERNAL', { message: `--force-new-cluster ${text}` })
}
