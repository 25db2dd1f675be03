// The table of verbs: what was run in which mode, and whether it differed.
import type { Mode } from './command-line.ts'
import { modes } from './command-line.ts'
import type { Outcome } from './run-table.ts'

function cell(outcomes: readonly Outcome[]): string {
  if (outcomes.length === 0) return '-'
  const differing = outcomes.filter(({ difference }) => difference !== undefined)
  const wanted = differing.filter(({ otherwise }) => otherwise !== undefined).length
  const unwanted = differing.length - wanted
  if (unwanted > 0) return `${unwanted} of ${outcomes.length} DIFFER`
  return wanted > 0 ? `${outcomes.length} (${wanted} by rights)` : `${outcomes.length} same`
}

export function tableText(results: ReadonlyMap<Mode, readonly Outcome[]>): string {
  const all = [...results.values()].flat()
  const verbs = [...new Set(all.map(({ verb }) => verb))].sort()
  const rows = verbs.map((verb) => {
    const flags = new Set(all.filter((each) => each.verb === verb).flatMap((each) => each.flags))
    const cells = modes.map((mode) =>
      cell((results.get(mode) ?? []).filter((each) => each.verb === verb)),
    )
    return [verb, [...flags].sort().join(' '), ...cells]
  })
  const table = [['verb', 'flags', ...modes], ...rows]
  const widths = table[0]?.map((_, column) =>
    Math.max(...table.map((row) => row[column]?.length ?? 0)),
  )
  return table
    .map((row) =>
      row
        .map((text, column) => text.padEnd(widths?.[column] ?? 0))
        .join(' | ')
        .trimEnd(),
    )
    .join('\n')
}
