// All flags of `balsa member`, by group as etcd's help shows them, and the help made of them.
import { clusteringGroup } from './flags/clustering-group.ts'
import type { MemberFlag } from './flags/flag-row.ts'
import { memberGroup } from './flags/member-group.ts'
import {
  featureGroup,
  loggingGroup,
  monitoringGroup,
  unsafeGroup,
} from './flags/operation-group.ts'
import { retiredGroup } from './flags/retired-group.ts'
import { authGroup, securityGroup } from './flags/security-group.ts'

const groups: readonly (readonly [title: string, flags: readonly MemberFlag[]])[] = [
  ['Member', memberGroup],
  ['Clustering', clusteringGroup],
  ['Security', securityGroup],
  ['Auth', authGroup],
  ['Profiling and Monitoring', monitoringGroup],
  ['Logging', loggingGroup],
  ['Features', featureGroup],
  ['Unsafe feature', unsafeGroup],
  ['Retired', retiredGroup],
]

export const memberFlagRows: readonly MemberFlag[] = groups.flatMap(([, flags]) => flags)

export const memberFlags: ReadonlyMap<string, MemberFlag> = new Map(
  memberFlagRows.map((flag) => [flag.name, flag]),
)

/** The lines of `etcd --help`. */
export function memberFlagsHelp(): string {
  const shown = groups.flatMap(([title, flags]) => {
    const lines = flags.filter(({ isRetired }) => isRetired !== true).flatMap(helpLines)
    return lines.length === 0 ? [] : ['', `${title}:`, ...lines]
  })
  return [
    "Flags are etcd's, with one dash or two. Each can be given as a variable, --data-dir as ETCD_DATA_DIR, or as a key of the --config-file.",
    ...shown,
    '',
    'Flags of etcd 3.4 to 3.7 that have no purpose any more are taken with a warning.',
  ].join('\n')
}

function helpLines({ name, fallback, text, warning }: MemberFlag): string[] {
  const note = warning === undefined ? '' : ` (${warning})`
  return [`  --${name} '${fallback}'`, `    ${text}${note}`]
}
