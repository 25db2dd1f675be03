// A sample as lines of text; what is counted since the start becomes a rate by the sample before.
import { sizeText } from '../moving/size-text.ts'
import type { MemberSample, MetricName, Sample } from './sample.ts'

const groupsShownMax = 15
const unknown = '-'

export function topLines(now: Sample, before: Sample | undefined): string[] {
  const first = now.members.find(({ status }) => status !== undefined)?.status
  const rates = rateReader(now, before)
  const lines = [
    `revision ${first?.revision ?? unknown}, term ${first?.raftTerm ?? unknown}, ` +
      `keys ${now.keys ?? unknown}, leases ${now.leases ?? unknown}, ` +
      `a read takes ${now.readLatencyMs === undefined ? unknown : ms(now.readLatencyMs)}`,
    '',
    ...columns([
      ['ENDPOINT', 'NAME', 'ROLE', 'VERSION', 'DB SIZE', 'KEYS', 'WATCHERS', 'SLOW'].concat([
        'EVENTS/S',
        'APPLIED/S',
        'ANSWERS IN',
      ]),
      ...now.members.map((member) => memberCells(member, rates)),
    ]),
  ]
  for (const { endpoint, problem } of now.members) {
    if (problem !== undefined) lines.push(`${endpoint}: ${problem}`)
  }
  if (now.groups.length === 0) return lines
  const shown = now.groups.slice(0, groupsShownMax)
  const rest = (now.keys ?? 0) - shown.reduce((sum, { keys }) => sum + keys, 0)
  const rows = shown.map(({ name, keys }) => [name, String(keys)])
  if (rest > 0) rows.push(['others', String(rest)])
  return [...lines, '', ...columns([['PREFIX', 'KEYS'], ...rows])]
}

type Rate = (member: MemberSample, name: MetricName) => string

function rateReader(now: Sample, before: Sample | undefined): Rate {
  const seconds = before === undefined ? 0 : (now.atMs - before.atMs) / 1000
  return ({ endpoint, metrics }, name) => {
    const past = before?.members.find((member) => member.endpoint === endpoint)?.metrics[name]
    const present = metrics[name]
    if (past === undefined || present === undefined || seconds <= 0) return unknown
    // A member that was started anew counts from the beginning.
    return String(Math.max(Math.round((present - past) / seconds), 0))
  }
}

function memberCells(member: MemberSample, rate: Rate): string[] {
  const { endpoint, status, name, latencyMs, metrics } = member
  const shown = (value: number | undefined): string => String(value ?? unknown)
  return [
    endpoint,
    name === '' ? unknown : name,
    roleOf(member),
    status?.version ?? unknown,
    status === undefined ? unknown : sizeText(status.dbSizeBytes),
    shown(metrics.keys),
    shown(metrics.watchers),
    shown(metrics.slowWatchers),
    rate(member, 'events'),
    rate(member, 'applied'),
    status === undefined ? unknown : ms(latencyMs),
  ]
}

function roleOf({ status, isLearner }: MemberSample): string {
  if (status === undefined) return 'down'
  if (status.leader === status.memberId) return 'leader'
  if (isLearner) return 'learner'
  return status.leader === 0n ? 'no leader' : 'follower'
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`
}

/** The first column to the left, the others to the right. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
}
