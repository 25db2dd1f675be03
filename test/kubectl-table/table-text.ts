// The table that is printed: each command line with what both versions of kubectl made of it.
import type { Client, Outcome } from './run-table.ts'

const verdict = (outcome: Outcome | undefined): string => {
  if (outcome === undefined) return '-'
  if (outcome.fault !== undefined) return 'FAULT'
  return outcome.refused === undefined ? 'ok' : 'refused'
}

export const tableText = (results: ReadonlyMap<Client, readonly Outcome[]>): string => {
  const [first = []] = [...results.values()]
  const rows = first.flatMap(({ area, line, isPreparation }, index) => {
    if (isPreparation) return []
    const verdicts = (['old', 'new'] as const).map((client) =>
      verdict(results.get(client)?.[index]),
    )
    return [[area, ...verdicts, line]]
  })
  const all = [['area', '1.20.2', 'newest', 'command line'], ...rows]
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  return all
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .join('\n')
}

/** Lines that nobody may run, by name and why. */
export const refusedText = (results: ReadonlyMap<Client, readonly Outcome[]>): string => {
  const lines = [...results].flatMap(([client, outcomes]) =>
    outcomes.flatMap(({ line, refused }) =>
      refused === undefined ? [] : [[client, line, refused]],
    ),
  )
  const texts = new Map<string, string[]>()
  for (const [client = '', line = '', refused = ''] of lines) {
    const key = `${line}: ${refused}`
    texts.set(key, [...(texts.get(key) ?? []), client === 'old' ? '1.20.2' : 'newest'])
  }
  return [...texts]
    .map(([text, clients]) => `refused by rule (${clients.join(', ')}): ${text}`)
    .join('\n')
}

export const faultsOf = (results: ReadonlyMap<Client, readonly Outcome[]>): string[] =>
  [...results].flatMap(([client, outcomes]) =>
    outcomes.flatMap(({ area, line, fault }) =>
      fault === undefined
        ? []
        : [`${client === 'old' ? '1.20.2' : 'newest'} ${area}: ${line}: ${fault}`],
    ),
  )
