// Lease questions that only the leader can answer, asked over its peer port.
import { KvError } from '../errors.ts'
import type { LeaseTimes } from '../lease/lessor.ts'
import { keyBytes, keyText } from '../mvcc/key-text.ts'
import type { LeaderLink, LeaseKeeper } from './lease-keeper.ts'
import type { JsonObject, PeerAnswerer, PeerQuestions } from './peer-questions.ts'
import type { Done } from './types.ts'

export const leasePath = '/balsa/lease'

/** What one member asks; `id` is decimal. */
interface LeaseQuestion {
  readonly op: 'renew' | 'timeToLive'
  readonly id: string
}

/** `ttl` -1: there is no such lease. Keys as base64. */
interface LeaseAnswer {
  readonly ttl: number
  readonly grantedTtl: number
  readonly keys: readonly string[]
}

export class QuestionLeaderLink implements LeaderLink {
  readonly #questions: PeerQuestions
  readonly #leaderUrl: () => string | undefined

  /** `leaderUrl`: a peer URL of the present leader. */
  constructor(questions: PeerQuestions, leaderUrl: () => string | undefined) {
    this.#questions = questions
    this.#leaderUrl = leaderUrl
  }

  renew(id: bigint, done: Done<number>): void {
    this.#ask({ op: 'renew', id: String(id) }, (error, answer) =>
      done(error, answer === undefined ? undefined : Math.max(answer.ttl, 0)),
    )
  }

  timeToLive(id: bigint, done: Done<LeaseTimes | undefined>): void {
    this.#ask({ op: 'timeToLive', id: String(id) }, (error, answer) => {
      if (answer === undefined || answer.ttl < 0) done(error, undefined)
      else {
        const keys = answer.keys.map((key) => keyText(Buffer.from(key, 'base64')))
        done(undefined, { ttlSeconds: answer.ttl, grantedTtlSeconds: answer.grantedTtl, keys })
      }
    })
  }

  #ask(question: LeaseQuestion, done: Done<LeaseAnswer>): void {
    const url = this.#leaderUrl()
    if (url === undefined) {
      done(new KvError('NO_LEADER'), undefined)
      return
    }
    this.#questions.ask(url, leasePath, { ...question }, ({ status, body, cause }) => {
      const answer = status === 200 ? parseAnswer(body) : undefined
      if (answer === undefined) done(new KvError('NO_LEADER', { cause }), undefined)
      else done(undefined, answer)
    })
  }
}

/** The leader's end. 503 means "ask again": this member does not lead. */
export function leaseAnswerer(keeper: LeaseKeeper): PeerAnswerer {
  return (body, reply) => {
    const question = parseQuestion(body)
    if (question === undefined) reply(400, { error: 'malformed question' })
    else answerQuestion(keeper, question, reply)
  }
}

function answerQuestion(
  keeper: LeaseKeeper,
  question: LeaseQuestion,
  reply: (status: number, body: JsonObject) => void,
): void {
  const id = BigInt(question.id)
  if (question.op === 'renew') {
    keeper.renewHere(id, (error, ttl) => {
      if (error !== undefined) reply(503, { error: error.message })
      else reply(200, { ttl, grantedTtl: 0, keys: [] })
    })
    return
  }
  keeper.timeToLiveHere(id, (error, times) => {
    if (error !== undefined) reply(503, { error: error.message })
    else if (times === undefined) reply(200, { ttl: -1, grantedTtl: 0, keys: [] })
    else {
      const keys = times.keys.map((key) => Buffer.from(keyBytes(key)).toString('base64'))
      reply(200, { ttl: times.ttlSeconds, grantedTtl: times.grantedTtlSeconds, keys })
    }
  })
}

function parseQuestion({ op, id }: JsonObject): LeaseQuestion | undefined {
  const isOp = op === 'renew' || op === 'timeToLive'
  if (!isOp || typeof id !== 'string' || !/^-?\d{1,19}$/.test(id)) return undefined
  return { op, id }
}

function parseAnswer({ ttl, grantedTtl, keys }: JsonObject): LeaseAnswer | undefined {
  if (typeof ttl !== 'number' || typeof grantedTtl !== 'number' || !Array.isArray(keys)) {
    return undefined
  }
  return { ttl, grantedTtl, keys: keys.map(String) }
}
