// What a simulated run did: shows that it was worth running, and (the hash) whether another did the same.
import type { FaultCounts } from './fault-plan.ts'
import type { NetworkCounts } from './sim-network.ts'
import { TraceHash } from './trace-hash.ts'

export interface RunReport {
  readonly seed: number
  /** Equal for every run of the same seed and code. */
  readonly traceHash: string
  readonly steps: number
  readonly simulatedMs: number
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
export function digestOf(reports: readonly RunReport[]): string {
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
  const hours = reports.reduce((total, report) => total + report.simulatedMs, 0) / 3_600_000
  const speed = (hours * 3_600_000) / realMs
  return [
    `seeds          ${reports.length}`,
    `simulated      ${hours.toFixed(2)} cluster-hours in ${sum((r) => r.steps)} steps, ${speed.toFixed(0)} hours an hour`,
    `elections      ${sum((r) => r.elections)}`,
    `commits        ${sum((r) => r.commits)} entries, ${sum((r) => r.acknowledged)} writes acknowledged, ${sum((r) => r.reads)} reads`,
    `crashes        ${sum((r) => r.faults.powerFailures)} power failures, ${sum((r) => r.faults.kills)} kills, ${sum((r) => r.faults.closes)} closes, ${sum((r) => r.lives)} starts`,
    `ambushes       ${sum((r) => r.faults.ambushes)} right after a message or an election`,
    `partitions     ${sum((r) => r.faults.partitions)} symmetric, ${sum((r) => r.faults.oneWayPartitions)} one-way, ${sum((r) => r.faults.isolations)} isolated members`,
    `transfers      ${sum((r) => r.faults.transfers)}, ${sum((r) => r.faults.failedTransfers)} of them failed`,
    `messages       ${sum((r) => r.network.sent)} sent, ${sum((r) => r.network.lost)} lost, ${sum((r) => r.network.repeated)} repeated, ${sum((r) => r.network.blocked)} blocked`,
    `snapshots      ${sum((r) => r.network.snapshots)} streamed`,
  ].join('\n')
}
