// What probes, people and Prometheus ask over plain HTTP: /health, /livez, /readyz, /version, /metrics, /debug/vars.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { KvError } from '../../errors.ts'
import { alarmType } from '../../proto/messages.ts'
import type { AlarmResponse } from '../../proto/messages.ts'
import type { MemberApi } from '../../member/types.ts'
import { WireMetrics } from '../wire-metrics.ts'
import { debugVars } from './debug-vars.ts'
import { checkNames, livenessChecks, runChecks } from './health-checks.ts'
import type { CheckName } from './health-checks.ts'

const probeTimeoutMs = 5000
const alarmNames = ['NONE', 'NOSPACE', 'CORRUPT'] as const

/** Answers every request; unknown paths with 404. */
export function createHttpEndpoints(
  member: MemberApi,
  metrics: WireMetrics = new WireMetrics(),
): (request: IncomingMessage, response: ServerResponse) => void {
  const endpoints = new Map<string, Endpoint>([
    ['/health', (url) => health(member, metrics, url)],
    ['/livez', (url) => probe(member, url, livenessChecks)],
    ['/readyz', (url) => probe(member, url, checkNames)],
    ['/version', () => Promise.resolve(version(member))],
    ['/metrics', () => metricsText(member, metrics)],
    ['/debug/vars', () => Promise.resolve(vars(member))],
  ])
  for (const check of livenessChecks)
    endpoints.set(`/livez/${check}`, (url) => probe(member, url, [check]))
  for (const check of checkNames)
    endpoints.set(`/readyz/${check}`, (url) => probe(member, url, [check]))
  return (request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    const endpoint = endpoints.get(url.pathname)
    const answer = (result: Answer): void => send(response, request.method, result)
    if (endpoint === undefined) answer(refusal(404, '404 page not found'))
    else if (request.method !== 'GET' && url.pathname !== '/metrics') {
      response.setHeader('allow', 'GET')
      answer(refusal(405, 'Method Not Allowed'))
    } else {
      endpoint(url).then(answer, (reason: unknown) => answer(refusal(500, String(reason))))
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

/** As Go's http.Error. */
function refusal(status: number, text: string): Answer {
  return { status, type: textType, body: `${text}\n` }
}

function send(response: ServerResponse, method: string | undefined, answer: Answer): void {
  response.writeHead(answer.status, {
    'content-type': answer.type,
    'content-length': Buffer.byteLength(answer.body),
    ...(answer.status === 200 ? {} : { 'x-content-type-options': 'nosniff' }),
  })
  response.end(method === 'HEAD' ? undefined : answer.body)
}

async function health(member: MemberApi, metrics: WireMetrics, url: URL): Promise<Answer> {
  const reason = await unhealthyReason(member, url)
  metrics.healthChecked(reason === '')
  const body = JSON.stringify({ health: String(reason === ''), reason })
  return reason === '' ? { status: 200, type: textType, body } : refusal(503, body)
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
  if (!isSerializable && member.leader() === 0n) return 'RAFT NO LEADER'
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
  const lines = results.map(({ name, problem }) =>
    problem === undefined ? `[+]${name} ok\n` : `[-]${name} failed: ${problem}\n`,
  )
  if (!isOk) return refusal(503, lines.join(''))
  const details = url.searchParams.has('verbose') ? lines.join('') : ''
  return { status: 200, type: textType, body: `${details}ok\n` }
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

async function metricsText(member: MemberApi, metrics: WireMetrics): Promise<Answer> {
  const type = 'text/plain; version=0.0.4; charset=utf-8'
  return { status: 200, type, body: (await member.metrics()) + (await metrics.text()) }
}

function vars(member: MemberApi): Answer {
  return { status: 200, type: 'application/json; charset=utf-8', body: debugVars(member) }
}
