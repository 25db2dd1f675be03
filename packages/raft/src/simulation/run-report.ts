// What a simulated run did: shows that it was worth running, and (the hash) whether another did the same.
import { faultKinds, type FaultCounts, type FaultKind } from './faults/fault-counts.ts'
import type { NetworkCounts } from './sim-network.ts'
import { TraceHash } from './trace-hash.ts'

const networkKinds = [
  'sent',
  'lost',
  'repeated',
  'slow',
  'overtaken',
  'blocked',
  'clogged',
] as const satisfies readonly (keyof NetworkCounts)[]

export interface RunReport {
  readonly seed: number
  /** Equal for every run of the same seed and code. */
  readonly traceHash: string
  readonly steps: number
  readonly simulatedMs: number
  /** Of it: without faults and requests, after the cluster had recovered. */
  readonly restMs: number
  /** Members without data that took part. */
  readonly witnesses: number
  /** Starts of members. */
  readonly lives: number
  readonly elections: number
  readonly commits: number
  readonly acknowledged: number
  readonly reads: number
  readonly network: Readonly<NetworkCounts>
  readonly faults: Readonly<FaultCounts>
}

/** One fingerprint of many runs, in their order; that of a single run is its own. */
export function digestOf(reports: readonly Pick<RunReport, 'seed' | 'traceHash'>[]): string {
  const [only] = reports
  if (only !== undefined && reports.length === 1) return only.traceHash
  const digest = new TraceHash()
  for (const { seed, traceHash } of reports) digest.add(`${seed} ${traceHash}`)
  return digest.toString()
}

/** Adds up many reports, a line per kind of number. */
export function summarize(reports: readonly RunReport[], realMs: number): string {
  const sum = (of: (report: RunReport) => number): string =>
    reports.reduce((total, report) => total + of(report), 0).toLocaleString('en-US')
  const hoursOf = (of: (report: RunReport) => number): number =>
    reports.reduce((total, report) => total + of(report), 0) / 3_600_000
  const hours = hoursOf((report) => report.simulatedMs)
  const restHours = hoursOf((report) => report.restMs)
  const speed = (hours * 3_600_000) / realMs
  return [
    `seeds          ${reports.length}`,
    `simulated      ${hours.toFixed(2)} cluster-hours (${restHours.toFixed(2)} of them at rest) in ${sum((r) => r.steps)} steps, ${speed.toFixed(0)} hours an hour`,
    `witnesses      ${sum((r) => r.witnesses)} in ${sum((r) => Number(r.witnesses > 0))} clusters`,
    `elections      ${sum((r) => r.elections)}`,
    `commits        ${sum((r) => r.commits)} entries, ${sum((r) => r.acknowledged)} writes acknowledged, ${sum((r) => r.reads)} reads`,
    `starts         ${sum((r) => r.lives)}`,
    `messages       ${networkKinds.map((kind) => `${sum((r) => r.network[kind])} ${kind}`).join(', ')}`,
    `snapshots      ${sum((r) => r.network.snapshots)} streamed, ${sum((r) => r.network.resumed)} resumed`,
    ...Object.entries(faultKinds).map(([group, kinds]) => {
      const counts = kinds.map((kind) => `${sum((r) => r.faults[kind])} ${inWords(kind)}`)
      return `${group.padEnd(15)}${counts.join(', ')}`
    }),
  ].join('\n')
}

function inWords(kind: FaultKind): string {
  return kind.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}
