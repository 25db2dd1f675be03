// Changes of the cluster on their way from the member that was asked to the leader, which alone can make them.
import { KvError, kvErrors, type KvErrorCode } from '../errors.ts'
import type { ClusterChanged, ClusterChanges } from './cluster-changes.ts'
import type { JsonObject, PeerAnswerer, PeerQuestions } from './peer-questions.ts'
import type { Done } from './types.ts'

export const clusterPath = '/balsa/cluster'
/** A change waits for the ones before it, and for a quorum. */
const timeoutMs = 15_000

export type ClusterChange =
  | { readonly op: 'add'; readonly peerUrls: readonly string[]; readonly isLearner: boolean }
  | { readonly op: 'update'; readonly id: bigint; readonly peerUrls: readonly string[] }
  | { readonly op: 'remove' | 'promote'; readonly id: bigint }

/** Asks the leader; the error is NOT_LEADER or NO_LEADER only if nothing was changed and it should be asked again. */
export interface ClusterLink {
  change(change: ClusterChange, done: Done<ClusterChanged>): void
}

export class QuestionClusterLink implements ClusterLink {
  readonly #questions: PeerQuestions
  readonly #leaderUrl: () => string | undefined

  /** `leaderUrl`: a peer URL of the present leader. */
  constructor(questions: PeerQuestions, leaderUrl: () => string | undefined) {
    this.#questions = questions
    this.#leaderUrl = leaderUrl
  }

  change(change: ClusterChange, done: Done<ClusterChanged>): void {
    const url = this.#leaderUrl()
    if (url === undefined) {
      done(new KvError('NO_LEADER'), undefined)
      return
    }
    const question = 'id' in change ? { ...change, id: String(change.id) } : { ...change }
    this.#questions.ask(
      url,
      clusterPath,
      question,
      ({ status, body, cause, isUnheard = false }) => {
        if (status === 200) done(undefined, parseChanged(body))
        else if (status !== 0) done(errorOf(body), undefined)
        else done(new KvError(isUnheard ? 'NO_LEADER' : 'TIMEOUT', { cause }), undefined)
      },
      timeoutMs,
    )
  }
}

/** The leader's end. */
export function clusterAnswerer(changes: ClusterChanges): PeerAnswerer {
  return (question, reply) => {
    const change = parseChange(question)
    if (change === undefined) {
      reply(400, { code: 'MALFORMED' })
      return
    }
    const run = async (): Promise<void> => {
      try {
        const { added } = await changes.run(change)
        reply(200, added === undefined ? {} : { added: String(added) })
      } catch (reason) {
        const { code, message } = KvError.from(reason)
        reply(503, { code, message })
      }
    }
    void run()
  }
}

function parseChange({ op, id, peerUrls, isLearner }: JsonObject): ClusterChange | undefined {
  const urls = Array.isArray(peerUrls) ? peerUrls.map(String) : []
  if (op === 'add') return { op, peerUrls: urls, isLearner: isLearner === true }
  if (typeof id !== 'string' || !/^\d{1,20}$/.test(id)) return undefined
  if (op === 'update') return { op, id: BigInt(id), peerUrls: urls }
  return op === 'remove' || op === 'promote' ? { op, id: BigInt(id) } : undefined
}

function parseChanged({ added }: JsonObject): ClusterChanged {
  return typeof added === 'string' && /^\d{1,20}$/.test(added) ? { added: BigInt(added) } : {}
}

function errorOf({ code, message }: JsonObject): KvError {
  const isKnown = typeof code === 'string' && Object.hasOwn(kvErrors, code)
  if (!isKnown) return new KvError('INTERNAL')
  return new KvError(code as KvErrorCode, typeof message === 'string' ? { message } : {})
}
