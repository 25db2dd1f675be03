// The table: one line a question, the median of the runs, and Balsa divided by etcd.
import { median } from './question.ts'
import type { Row } from './question.ts'
import type { LoadResult } from './load/load-plan.ts'

const columns = [
  'question',
  'members',
  'unit',
  'balsa',
  'p50 / mean / p99 ms',
  'etcd',
  'p50 / mean / p99 ms',
  'balsa / etcd',
]

export function reportText(rows: readonly Row[]): string {
  const lines = [columns, ...rows.map(cells)]
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)))
  const text = lines.map((line) =>
    line
      .map((cell, i) =>
        i === 0 || i === 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0),
      )
      .join('  '),
  )
  text.splice(1, 0, widths.map((width) => '-'.repeat(width)).join('  '))
  return [...text, ...rows.flatMap(failureLines)].join('\n')
}

function cells(row: Row): string[] {
  const { balsa, etcd } = row.runs
  const ratio =
    balsa === undefined || etcd === undefined
      ? ''
      : (medianOf(balsa, 'perSecond') / medianOf(etcd, 'perSecond')).toFixed(2)
  const members = String(row.members)
  return [
    row.question,
    members,
    row.unit,
    rate(balsa),
    times(balsa),
    rate(etcd),
    times(etcd),
    ratio,
  ]
}

function medianOf(
  runs: readonly LoadResult[],
  name: 'perSecond' | 'meanMs' | 'p50Ms' | 'p99Ms',
): number {
  return median(runs.map((run) => run[name]))
}

function rate(runs: readonly LoadResult[] | undefined): string {
  return runs === undefined ? '' : Math.round(medianOf(runs, 'perSecond')).toLocaleString('en')
}

function times(runs: readonly LoadResult[] | undefined): string {
  if (runs === undefined || medianOf(runs, 'meanMs') === 0) return ''
  const percentile = (name: 'p50Ms' | 'p99Ms'): string => {
    const value = medianOf(runs, name)
    return value === 0 ? '-' : value.toFixed(2)
  }
  return `${percentile('p50Ms')} / ${medianOf(runs, 'meanMs').toFixed(2)} / ${percentile('p99Ms')}`
}

function failureLines(row: Row): string[] {
  return Object.entries(row.runs).flatMap(([kind, runs]) =>
    runs.flatMap((run) =>
      Object.entries(run.failures).map(
        ([text, count]) => `FAILED: ${row.question}, ${kind}: ${count} x ${text}`,
      ),
    ),
  )
}
