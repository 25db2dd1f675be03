// What probes, people and Prometheus ask over plain HTTP: /health, /livez, /readyz, /version, /metrics.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { KvError } from '../../errors.ts'
import { alarmType } from '../../proto/messages.ts'
import type { AlarmResponse } from '../../proto/messages.ts'
import type { MemberApi } from '../../member/types.ts'
import { checkNames, runChecks } from './health-checks.ts'
import type { CheckName } from './health-checks.ts'

const probeTimeoutMs = 5000
const alarmNames = ['NONE', 'NOSPACE', 'CORRUPT'] as const

/** Answers every request; unknown paths with 404. */
export function createHttpEndpoints(
  member: MemberApi,
): (request: IncomingMessage, response: ServerResponse) => void {
  const endpoints: Readonly<Record<string, Endpoint>> = {
    '/health': (url) => health(member, url),
    '/livez': (url) => probe(member, url, ['serializable_read']),
    '/readyz': (url) => probe(member, url, checkNames),
    '/version': () => Promise.resolve(version(member)),
    '/metrics': () => metrics(member),
  }
  return (request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    const endpoint = Object.hasOwn(endpoints, url.pathname) ? endpoints[url.pathname] : undefined
    if (endpoint === undefined) {
      send(response, request.method, { status: 404, type: textType, body: '404 page not found\n' })
    } else if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET')
      send(response, request.method, { status: 405, type: textType, body: 'Method Not Allowed\n' })
    } else {
      endpoint(url).then(
        (answer) => send(response, request.method, answer),
        (reason: unknown) =>
          send(response, request.method, {
            status: 500,
            type: textType,
            body: `${String(reason)}\n`,
          }),
      )
    }
  }
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
}
type Endpoint = (url: URL) => Promise<Answer>

const textType = 'text/plain; charset=utf-8'
const jsonType = 'application/json'

function send(response: ServerResponse, method: string | undefined, answer: Answer): void {
  response.writeHead(answer.status, {
    'content-type': answer.type,
    'content-length': Buffer.byteLength(answer.body),
    'x-content-type-options': 'nosniff',
  })
  response.end(method === 'HEAD' ? undefined : answer.body)
}

async function health(member: MemberApi, url: URL): Promise<Answer> {
  const reason = await unhealthyReason(member, url)
  const body = JSON.stringify({ health: String(reason === ''), reason })
  return { status: reason === '' ? 200 : 503, type: jsonType, body }
}

/** Empty for a healthy member. */
async function unhealthyReason(member: MemberApi, url: URL): Promise<string> {
  const excluded = url.searchParams.getAll('exclude')
  const isSerializable = url.searchParams.get('serializable') === 'true'
  let alarms: AlarmResponse['alarms']
  try {
    alarms = await raisedAlarms(member)
  } catch (reason) {
    return `ALARMS ERROR:${KvError.from(reason).message}`
  }
  for (const { alarm } of alarms) {
    const name = alarmNames[alarm] ?? 'UNKNOWN'
    if (alarm !== alarmType.none && !excluded.includes(name)) return `ALARM ${name}`
  }
  if (member.leader() === 0n) return 'RAFT NO LEADER'
  const check = isSerializable ? 'serializable_read' : 'linearizable_read'
  const [result] = await runChecks(member, [check], probeTimeoutMs)
  return result?.problem === undefined ? '' : `RANGE ERROR:${result.problem}`
}

function raisedAlarms(member: MemberApi): Promise<AlarmResponse['alarms']> {
  return new Promise((resolve, reject) => {
    member.alarms((error, response) => {
      if (error !== undefined) reject(error)
      else resolve(response?.alarms ?? [])
    })
  })
}

async function probe(member: MemberApi, url: URL, checks: readonly CheckName[]): Promise<Answer> {
  const excluded = url.searchParams.getAll('exclude')
  const wanted = checks.filter((name) => !excluded.includes(name))
  const results = await runChecks(member, wanted, probeTimeoutMs)
  const isOk = results.every((result) => result.problem === undefined)
  const isVerbose = url.searchParams.has('verbose')
  const lines = results.map(({ name, problem }) =>
    problem === undefined ? `[+]${name} ok` : `[-]${name} failed: ${problem}`,
  )
  const body = isOk && !isVerbose ? 'ok\n' : [...lines, isOk ? 'ok' : 'not ok', ''].join('\n')
  return { status: isOk ? 200 : 503, type: textType, body }
}

function version(member: MemberApi): Answer {
  const { version: server, storageVersion } = member.status()
  const [major, minor] = server.split('.')
  const cluster = `${major}.${minor}.0`
  const body = JSON.stringify({
    etcdserver: server,
    etcdcluster: cluster,
    storage: storageVersion || 'unknown',
  })
  return { status: 200, type: jsonType, body }
}

async function metrics(member: MemberApi): Promise<Answer> {
  const type = 'text/plain; version=0.0.4; charset=utf-8'
  return { status: 200, type, body: await member.metrics() }
}
