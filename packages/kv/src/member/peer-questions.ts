// Questions from member to member beside raft's messages: a small JSON POST on the peer port, answered with JSON. Both sides name their
// cluster, but for a member that joins and does not know it yet.
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { dialOptions, type PeerTls } from '@balsa/raft'

const questionSizeBytesMax = 65_536
const answerSizeBytesMax = 64 * 2 ** 20
const timeoutMsDefault = 2000
const clusterHeader = 'x-balsa-cluster-id'

export type JsonObject = Readonly<Record<string, unknown>>

/** What came back. `status` 0: nothing did, and `cause` says why; the question may have been heard all the same unless `isUnheard`. */
export interface PeerAnswer {
  readonly status: number
  readonly body: JsonObject
  readonly cause?: Error
  readonly isUnheard?: boolean
}

/** The door to the other members. */
export interface PeerQuestions {
  /** `url`: a peer URL. Calls back once. */
  ask(
    url: string,
    path: string,
    question: JsonObject,
    done: (answer: PeerAnswer) => void,
    timeoutMs?: number,
  ): void
}

/** Answers one question with an HTTP status and a body. */
export type PeerAnswerer = (
  question: JsonObject,
  reply: (status: number, body: JsonObject) => void,
) => void

export class HttpPeerQuestions implements PeerQuestions {
  readonly #clusterId: string | undefined
  readonly #tls: PeerTls | undefined

  /** Without `clusterId` for a member that joins. `tls`: for https. */
  constructor(clusterId: string | undefined, tls: PeerTls | undefined) {
    this.#clusterId = clusterId
    this.#tls = tls
  }

  ask(
    url: string,
    path: string,
    question: JsonObject,
    done: (answer: PeerAnswer) => void,
    timeoutMs: number = timeoutMsDefault,
  ): void {
    const named = this.#clusterId === undefined ? {} : { [clusterHeader]: this.#clusterId }
    const request = (url.startsWith('https:') ? httpsRequest : httpRequest)(new URL(path, url), {
      ...(this.#tls === undefined ? {} : dialOptions(this.#tls, undefined)),
      method: 'POST',
      headers: { 'content-type': 'application/json', ...named },
      timeout: timeoutMs,
    })
    let isDone = false
    const once = (answer: PeerAnswer): void => {
      if (isDone) return
      isDone = true
      done(answer)
    }
    request.on('timeout', () => request.destroy(new Error('The member did not answer in time')))
    request.on('error', (cause: NodeJS.ErrnoException) => {
      const isUnheard = cause.code === 'ECONNREFUSED'
      once({ status: 0, body: {}, cause, isUnheard })
    })
    request.on('response', (response) => {
      const { statusCode = 0 } = response
      // One that breaks off says nothing.
      response.on('close', () => once({ status: 0, body: {} }))
      readBody(response, answerSizeBytesMax, (text) => {
        const body = parseObject(text)
        if (body === undefined) once({ status: 0, body: {} })
        else once({ status: statusCode, body })
      })
    })
    request.end(JSON.stringify(question))
  }
}

export interface PeerDeskOptions {
  readonly clusterId: string
  /** By path. */
  readonly answerers: ReadonlyMap<string, PeerAnswerer>
  /** Paths that members ask which do not know the cluster yet. */
  readonly openPaths: ReadonlySet<string>
}

/** The other end: true if the request was a question. */
export function answerPeer(
  { clusterId, answerers, openPaths }: PeerDeskOptions,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const path = request.url ?? ''
  const answerer = answerers.get(path)
  if (answerer === undefined) return false
  const end = (status: number, body: JsonObject): void => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(body))
  }
  const named = request.headers[clusterHeader]
  const isWelcome = named === clusterId || (named === undefined && openPaths.has(path))
  if (request.method !== 'POST') end(405, { error: 'want POST' })
  else if (!isWelcome) end(412, { error: 'cluster ID mismatch' })
  else {
    readBody(request, questionSizeBytesMax, (text) => {
      const question = parseObject(text)
      if (question === undefined) end(400, { error: 'malformed question' })
      else answerer(question, end)
    })
  }
  return true
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

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch (reason) {
    if (reason instanceof SyntaxError) return undefined
    throw reason
  }
}
