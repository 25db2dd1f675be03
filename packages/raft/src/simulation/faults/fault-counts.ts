// How often each kind of fault has struck. Every kind is in the report, also when it never did.

/** By where they strike. */
export const faultKinds = {
  crashes: ['powerFailures', 'kills', 'closes', 'ambushes', 'diskOperationCrashes', 'upgrades'],
  partitions: ['symmetricPartitions', 'oneWayPartitions', 'isolations', 'clogs'],
  disks: ['readErrors', 'failedSyncs', 'stuckSyncs', 'fullDisks', 'stoppedByThemselves'],
  damage: ['bitFlips', 'misdirectedWrites', 'membersHealed', 'membersRefused'],
  clocks: ['pauses', 'suspends', 'clockJumps', 'clockDrifts'],
  leadership: ['transfers', 'failedTransfers'],
  membership: [
    'changesAsked',
    'changesDone',
    'votersAdded',
    'votersRemoved',
    'learnersAdded',
    'learnersPromoted',
    'jointChanges',
    'membersJoined',
    'membersRetired',
  ],
} as const

export type FaultKind = (typeof faultKinds)[keyof typeof faultKinds][number]

export type FaultCounts = Readonly<Record<FaultKind, number>>

/** Every kind with the count 0. */
export function noFaults(): Record<FaultKind, number> {
  const kinds: readonly FaultKind[] = Object.values(faultKinds).flat()
  return Object.fromEntries(kinds.map((kind) => [kind, 0])) as Record<FaultKind, number>
}
