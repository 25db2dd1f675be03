// Where a member that starts gets its identity from: its data if it has any, the running cluster if it joins one, else its flags.
import type { PeerTls } from '@balsa/raft'
import { KvError } from '../errors.ts'
import type { MemberRecord } from '../proto/messages.ts'
import { findOwner, type Owner } from './data-directory.ts'
import { idText, parseIdText } from './identity.ts'
import { askMembers, type ClusterAnswer } from './member-question.ts'
import { planMember, type MemberOptions, type MemberPlan } from './member-options.ts'
import { HttpPeerQuestions } from './peer-questions.ts'
import { isSameUrls } from './peer-urls.ts'

/** As planMember(), but with what only the disk and the other members know. Rejects with one line that names the flag at fault. */
export async function resolvePlan(
  options: MemberOptions,
  tls: PeerTls | undefined,
): Promise<MemberPlan> {
  const { dataDir = '', memory } = options
  const owner = dataDir === '' || memory === true ? undefined : await findOwner(dataDir)
  if (owner !== undefined) return planOfOwner(options, owner)
  const plan = planMember(options)
  return options.initialClusterState === 'existing' ? join(plan, tls) : plan
}

/** As in etcd, data beats flags: clusters grow and URLs change, and the list of first members becomes history. */
function planOfOwner(options: MemberOptions, owner: Owner): MemberPlan {
  const { name = 'default', initialCluster, initialAdvertisePeerUrls, ...others } = options
  const isNamed = initialCluster?.split(',').some((part) => part.trim().startsWith(`${name}=`))
  const advertised = initialAdvertisePeerUrls ?? others.listenPeerUrls
  const urls =
    isNamed === true && initialCluster !== undefined
      ? { initialCluster }
      : advertised === undefined
        ? {}
        : { initialAdvertisePeerUrls: advertised }
  const plan = planMember({ ...others, name, ...urls })
  const id = parseIdText(owner.memberId)
  const clusterId = parseIdText(owner.clusterId)
  const { joined } = owner
  if (plan.id === id && plan.clusterId === clusterId) return plan
  const whose = `--data-dir '${options.dataDir ?? ''}' holds member ${owner.memberId} ('${owner.name}') of cluster ${owner.clusterId}`
  const flags = `the flags make this member ${idText(plan.id)} of cluster ${idText(plan.clusterId)}`
  if (owner.name !== name) {
    const cure =
      'use the --name, --initial-cluster, --initial-advertise-peer-urls and --initial-cluster-token it was made with, or another --data-dir'
    throw new KvError('INTERNAL', { message: `${whose}, but ${flags}; ${cure}` })
  }
  if (joined === undefined && options.initialClusterState !== 'existing') {
    options.onWarning?.(`${whose}, and goes on as that, though ${flags}`)
  }
  return {
    ...plan,
    id,
    clusterId,
    voters: joined?.voters ?? plan.voters,
    peerUrlsById: new Map([...plan.peerUrlsById, ...Object.entries(joined?.peerUrls ?? {})]),
  }
}

async function join(plan: MemberPlan, tls: PeerTls | undefined): Promise<MemberPlan> {
  const own = idText(plan.id)
  const others = [...plan.peerUrlsById].filter(([id]) => id !== own).flatMap(([, urls]) => urls)
  const questions = new HttpPeerQuestions(undefined, tls)
  let mismatch: string | undefined
  // One that lags behind does not know the new member yet: the next one may.
  for (const url of others) {
    const answer = await new Promise<ClusterAnswer | undefined>((resolve) => {
      askMembers(questions, { url, fresh: false }, (found, refusal) => {
        mismatch = refusal ?? mismatch
        resolve(found)
      })
    })
    if (answer === undefined) continue
    const found = match(plan, answer)
    if (typeof found !== 'string') return found
    mismatch = found
  }
  const why =
    mismatch ??
    `none of the other members answers (${others.join(', ')}); start them, or give 'new' for a new cluster`
  const message = `--initial-cluster-state is 'existing', but ${why}`
  throw new KvError('INTERNAL', { message })
}

/** etcd's rule: the list is that of the cluster, member by member, by their peer URLs. A text says why it is not. */
function match(plan: MemberPlan, { clusterId, members }: ClusterAnswer): MemberPlan | string {
  const given = [...plan.peerUrlsById.values()]
  const list = `--initial-cluster has ${given.map((urls) => urls.join(' ')).join(', ')}, the cluster ${members.map(textOf).join(', ')}`
  if (members.length !== given.length) return `member count is unequal: ${list}`
  const stranger = members.find(({ peerUrls }) => !given.some((urls) => isSameUrls(urls, peerUrls)))
  if (stranger !== undefined) {
    return `PeerURLs: no match found for existing member ${textOf(stranger)}: ${list}`
  }
  const self = members.find(({ peerUrls }) => isSameUrls(peerUrls, plan.peerUrls))
  if (self === undefined) return `this member is not part of the cluster: ${list}`
  if (self.name !== '' && self.name !== plan.name) {
    return `member ${textOf(self)} has started already, as '${self.name}': remove it, and add it anew`
  }
  // Not itself: as long as its log is empty it votes for nobody.
  const voters = members.filter((member) => !member.isLearner && member.id !== self.id)
  const peerUrlsById = new Map(members.map(({ id, peerUrls }) => [idText(id), peerUrls]))
  return {
    ...plan,
    id: self.id,
    clusterId,
    voters: voters.map(({ id }) => idText(id)),
    peerUrlsById,
    isJoining: true,
  }
}

function textOf({ id, peerUrls }: MemberRecord): string {
  return `${idText(id)} (${peerUrls.join(' ')})`
}
