// The question who the members are, which a member that joins asks, and one that misses its leader and may have been removed.
import type { MemberRecord } from '../proto/messages.ts'
import { highestCommand, unsaidCommands } from './command.ts'
import { idText, parseIdText } from './identity.ts'
import type { JsonObject, PeerAnswerer, PeerQuestions } from './peer-questions.ts'
import type { MemberApi } from './types.ts'

export const membersPath = '/balsa/members'

/** Who asks must be of a newer version. */
const tooOldStatus = 426

export interface ClusterAnswer {
  readonly clusterId: bigint
  readonly members: readonly MemberRecord[]
}

/** `commands`: the highest kind that all members apply. Who knows less may not come in: it says so in its question, or nothing. */
export function membersAnswerer(member: MemberApi, commands: () => number): PeerAnswerer {
  return ({ fresh, commands: known = unsaidCommands }, reply) => {
    member.memberList(fresh === true, (error, list) => {
      if (error !== undefined || list === undefined) {
        reply(503, { error: error?.message ?? 'no answer' })
        return
      }
      // Looked at with the list: whoever is on it was added before the level was settled, or is refused.
      if (commands() > Number(known)) {
        const what = `commands up to kind ${commands()} are in use, which it does not know`
        reply(tooOldStatus, { error: `the version of this member is too old: ${what}` })
        return
      }
      const { header, members } = list
      const rows = members.map((each) => ({ ...each, id: idText(each.id) }))
      reply(200, { clusterId: idText(header.clusterId), members: rows })
    })
  }
}

/**
 * `fresh`: as a quorum knows it now, else as the asked member does: the second member of a cluster joins one that has no quorum
 * without it. Undefined: that member could not say it, or would not: then there is a reason.
 */
export function askMembers(
  questions: PeerQuestions,
  { url, fresh }: { readonly url: string; readonly fresh: boolean },
  done: (answer: ClusterAnswer | undefined, refusal?: string) => void,
): void {
  questions.ask(url, membersPath, { fresh, commands: highestCommand }, ({ status, body }) => {
    if (status === 200) done(parseAnswer(body))
    else done(undefined, status === tooOldStatus ? String(body['error']) : undefined)
  })
}

function parseAnswer({ clusterId, members }: JsonObject): ClusterAnswer | undefined {
  if (!isId(clusterId) || !Array.isArray(members)) return undefined
  const records = members.map(parseMember)
  return records.every((record) => record !== undefined)
    ? { clusterId: parseIdText(clusterId), members: records }
    : undefined
}

function parseMember(value: unknown): MemberRecord | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { id, name, peerUrls, clientUrls, isLearner } = value as Record<string, unknown>
  if (!isId(id) || !Array.isArray(peerUrls) || !Array.isArray(clientUrls)) return undefined
  return {
    id: parseIdText(id),
    name: String(name),
    peerUrls: peerUrls.map(String),
    clientUrls: clientUrls.map(String),
    isLearner: isLearner === true,
  }
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{16}$/.test(value)
}
