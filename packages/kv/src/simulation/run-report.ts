// What a run did: shows that it was worth running, and (the hash) whether another did the same.
import type { FaultCounts } from './cluster-faults.ts'

export interface MemberRunReport {
  readonly seed: number
  /** Equal for every run of the same seed and code. */
  readonly traceHash: string
  readonly steps: number
  readonly simulatedMs: number
  /** Starts of members. */
  readonly lives: number
  readonly revisions: number
  readonly compactRevision: number
  readonly asked: number
  readonly answered: number
  readonly refused: number
  readonly watchEvents: number
  readonly leasesGranted: number
  readonly leasesExpired: number
  readonly snapshots: number
  readonly messages: number
  readonly faults: Readonly<FaultCounts>
}

/** Adds up many reports, a line per kind of number. */
export function summarize(reports: readonly MemberRunReport[], realMs: number): string {
  const sum = (of: (report: MemberRunReport) => number): string =>
    reports.reduce((total, report) => total + of(report), 0).toLocaleString('en-US')
  const simulatedMs = reports.reduce((total, report) => total + report.simulatedMs, 0)
  const faults = (kind: keyof FaultCounts): string => sum((report) => report.faults[kind])
  return [
    `seeds          ${reports.length}, ${((1000 * reports.length) / realMs).toFixed(1)} a second`,
    `simulated      ${(simulatedMs / 3_600_000).toFixed(2)} cluster-hours in ${sum((r) => r.steps)} steps, ${(simulatedMs / realMs).toFixed(0)} hours an hour`,
    `requests       ${sum((r) => r.asked)} asked, ${sum((r) => r.answered)} answered, ${sum((r) => r.refused)} refused`,
    `history        ${sum((r) => r.revisions)} revisions, compacted in ${sum((r) => Number(r.compactRevision > 0))} runs`,
    `watchers       ${sum((r) => r.watchEvents)} events`,
    `leases         ${sum((r) => r.leasesGranted)} granted, ${sum((r) => r.leasesExpired)} expired`,
    `starts         ${sum((r) => r.lives)}, ${sum((r) => r.snapshots)} snapshots streamed`,
    `messages       ${sum((r) => r.messages)}`,
    `crashes        ${faults('powerFailures')} power failures, ${faults('kills')} kills, ${faults('closes')} closes, ${faults('diskOperationCrashes')} within a disk operation`,
    `others         ${faults('partitions')} partitions, ${faults('pauses')} pauses, ${faults('suspends')} suspends, ${faults('drifts')} clock drifts`,
  ].join('\n')
}
