// Lease questions that only the leader can answer, asked over its peer port: a small JSON POST. Both sides name their cluster.
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { PeerTls } from '@balsa/raft'
import { KvError } from '../errors.ts'
import type { LeaseTimes } from '../lease/lessor.ts'
import { keyBytes, keyText } from '../mvcc/key-text.ts'
import type { LeaderLink, LeaseKeeper } from './lease-keeper.ts'
import type { Done } from './types.ts'

export const leasePath = '/balsa/lease'
const bodySizeBytesMax = 4096
const answerSizeBytesMax = 64 * 2 ** 20
const timeoutMs = 2000
const clusterHeader = 'x-balsa-cluster-id'

/** What one member asks. */
interface LeaseQuestion {
  readonly op: 'renew' | 'timeToLive'
  /** Decimal. */
  readonly id: string
}

/** `ttl` -1: there is no such lease. Keys as base64. */
interface LeaseAnswer {
  readonly ttl: number
  readonly grantedTtl: number
  readonly keys: readonly string[]
}

export class HttpLeaderLink implements LeaderLink {
  readonly #clusterId: string
  readonly #leaderUrl: () => string | undefined
  readonly #tls: PeerTls | undefined

  /** `leaderUrl`: a peer URL of the present leader. `tls`: for https. */
  constructor(clusterId: string, leaderUrl: () => string | undefined, tls?: PeerTls) {
    this.#tls = tls
    this.#clusterId = clusterId
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
    const failed = (cause?: unknown): void => done(new KvError('NO_LEADER', { cause }), undefined)
    const request = (url.startsWith('https:') ? httpsRequest : httpRequest)(
      new URL(leasePath, url),
      {
        ...certificateOf(this.#tls),
        method: 'POST',
        headers: { 'content-type': 'application/json', [clusterHeader]: this.#clusterId },
        timeout: timeoutMs,
      },
    )
    let isDone = false
    const once = (answer: () => void): void => {
      if (isDone) return
      isDone = true
      answer()
    }
    request.on('timeout', () => request.destroy(new Error('The leader did not answer in time')))
    request.on('error', (cause) => once(() => failed(cause)))
    request.on('response', (response) => {
      readBody(response, answerSizeBytesMax, (body) =>
        once(() => {
          const answer = response.statusCode === 200 ? parseAnswer(body) : undefined
          if (answer === undefined) failed()
          else done(undefined, answer)
        }),
      )
    })
    request.end(JSON.stringify(question))
  }
}

function certificateOf(tls: PeerTls | undefined): Partial<Pick<PeerTls, 'cert' | 'key' | 'ca'>> {
  return tls === undefined ? {} : { cert: tls.cert, key: tls.key, ca: tls.ca }
}

/** The leader's end: true if the request was for it. 503 means "ask again": this member does not lead. */
export function answerLeaseQuestion(
  keeper: LeaseKeeper,
  clusterId: string,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  if (request.url !== leasePath) return false
  const end = (status: number, body: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(body))
  }
  if (request.method !== 'POST') end(405, { error: 'want POST' })
  else if (request.headers[clusterHeader] !== clusterId) end(412, { error: 'cluster ID mismatch' })
  else {
    readBody(request, bodySizeBytesMax, (body) => {
      const question = parseQuestion(body)
      if (question === undefined) end(400, { error: 'malformed question' })
      else answerQuestion(keeper, question, end)
    })
  }
  return true
}

function answerQuestion(
  keeper: LeaseKeeper,
  question: LeaseQuestion,
  end: (status: number, body: unknown) => void,
): void {
  const id = BigInt(question.id)
  if (question.op === 'renew') {
    keeper.renewHere(id, (error, ttl) => {
      if (error !== undefined) end(503, { error: error.message })
      else end(200, { ttl, grantedTtl: 0, keys: [] })
    })
    return
  }
  keeper.timeToLiveHere(id, (error, times) => {
    if (error !== undefined) end(503, { error: error.message })
    else if (times === undefined) end(200, { ttl: -1, grantedTtl: 0, keys: [] })
    else {
      const keys = times.keys.map((key) => Buffer.from(keyBytes(key)).toString('base64'))
      end(200, { ttl: times.ttlSeconds, grantedTtl: times.grantedTtlSeconds, keys })
    }
  })
}

/** Calls back with the whole body; a body that is too long or breaks off ends the connection, and nothing is called. */
function readBody(
  message: IncomingMessage,
  sizeBytesMax: number,
  done: (body: string) => void,
): void {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  message.on('data', (chunk: Buffer) => {
    sizeBytes += chunk.length
    if (sizeBytes > sizeBytesMax) message.destroy(new Error('The message is too long'))
    else chunks.push(chunk)
  })
  message.on('end', () => done(Buffer.concat(chunks).toString()))
  message.on('error', () => message.destroy())
}

function parseQuestion(body: string): LeaseQuestion | undefined {
  const value = parseObject(body)
  const { op, id } = value
  const isOp = op === 'renew' || op === 'timeToLive'
  if (!isOp || typeof id !== 'string' || !/^-?\d{1,19}$/.test(id)) return undefined
  return { op, id }
}

function parseAnswer(body: string): LeaseAnswer | undefined {
  const { ttl, grantedTtl, keys } = parseObject(body)
  if (typeof ttl !== 'number' || typeof grantedTtl !== 'number' || !Array.isArray(keys)) {
    return undefined
  }
  return { ttl, grantedTtl, keys: keys.map(String) }
}

function parseObject(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}
