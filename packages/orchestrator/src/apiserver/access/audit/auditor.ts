// Writes down who asked for what and what was answered, as far as the policy says. Bodies are looked at only for the levels that hold
// them, so a policy of Metadata never shows what a Secret holds.
import type { Json } from '../../../resources/object.ts'
import type { Exchange } from '../../wire/exchange.ts'
import type { AccessAttributes } from '../authorizer.ts'
import type { User } from '../user.ts'
import type { AuditFile } from './audit-file.ts'
import { type AuditPolicy, type AuditStage, auditDecision } from './audit-policy.ts'

/** Larger bodies are left out. */
const bodyBytesMax = 1024 * 1024

export interface AuditedRequest {
  readonly exchange: Exchange
  /** Who sent it; `attributes.user` is whom it acts as. */
  readonly sender: User
  readonly attributes: AccessAttributes
}

export class Auditor {
  readonly #policy: AuditPolicy
  readonly #file: AuditFile
  readonly #now: () => number

  constructor(policy: AuditPolicy, file: AuditFile, now: () => number) {
    this.#policy = policy
    this.#file = file
    this.#now = now
  }

  /** Follows the request to the end of its reply. */
  follow(request: AuditedRequest): void {
    const { level, omitStages } = auditDecision(this.#policy, request.attributes)
    if (level === 'None') return
    const { exchange } = request
    const receivedMs = this.#now()
    const base = { ...this.#metadata(request, receivedMs), level }
    const write = (stage: AuditStage, more: object): void => {
      if (omitStages.includes(stage)) return
      this.#file.write({ ...base, stage, ...more, stageTimestamp: micro(this.#now()) })
    }
    write('RequestReceived', {})
    const withRequest = (): object =>
      level === 'Metadata' ? {} : optional('requestObject', asJson(exchange.receivedBody))
    exchange.observe(level === 'RequestResponse', {
      started: (status) => {
        write('ResponseStarted', {
          ...withRequest(),
          responseStatus: { metadata: {}, code: status },
        })
      },
      complete: (status, body) => {
        const response = body === undefined ? undefined : asJson(body)
        write('ResponseComplete', {
          ...withRequest(),
          ...optional('responseObject', response),
          responseStatus: statusOf(status, response),
          annotations: exchange.annotations,
        })
      },
    })
  }

  async close(): Promise<void> {
    await this.#file.close()
  }

  #metadata({ exchange, sender, attributes }: AuditedRequest, receivedMs: number): object {
    const { user, verb, isResource } = attributes
    return {
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      auditID: exchange.auditId,
      requestURI: exchange.url,
      verb,
      user: userInfo(sender),
      ...(user === sender ? {} : { impersonatedUser: userInfo(user) }),
      sourceIPs: exchange.remoteAddress === '' ? [] : [exchange.remoteAddress],
      userAgent: exchange.header('user-agent'),
      ...(isResource ? { objectRef: objectRef(attributes) } : {}),
      requestReceivedTimestamp: micro(receivedMs),
    }
  }
}

const userInfo = ({ name, uid, groups, extra }: User): object => ({
  username: name,
  ...optional('uid', uid),
  groups,
  ...optional('extra', extra),
})

const objectRef = (attributes: AccessAttributes): object => ({
  resource: attributes.resource,
  ...optional('namespace', attributes.namespace || undefined),
  ...optional('name', attributes.name || undefined),
  ...optional('apiGroup', attributes.group || undefined),
  apiVersion: attributes.version,
  ...optional('subresource', attributes.subresource || undefined),
})

const optional = (name: string, value: unknown): object =>
  value === undefined ? {} : { [name]: value }

/** RFC 3339 with microseconds. */
const micro = (ms: number): string => new Date(ms).toISOString().replace('Z', '000Z')

/** undefined: no JSON, or too much of it. */
const asJson = (body: Uint8Array | undefined): Json | undefined => {
  if (body === undefined || body.length === 0 || body.length > bodyBytesMax || body[0] !== 0x7b)
    return undefined
  try {
    return JSON.parse(Buffer.from(body).toString('utf8')) as Json
  } catch (reason) {
    if (reason instanceof SyntaxError) return undefined
    throw reason
  }
}

const statusOf = (code: number, response: Json | undefined): object => {
  const failure = response as
    | { kind?: Json; status?: Json; reason?: Json; message?: Json }
    | undefined
  return code >= 400 && failure?.kind === 'Status'
    ? {
        metadata: {},
        status: failure.status,
        message: failure.message,
        reason: failure.reason,
        code,
      }
    : { metadata: {}, code }
}
