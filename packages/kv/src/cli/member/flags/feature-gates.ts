// --feature-gates: etcd 3.6 and 3.7 ask for features so that were flags before. Those that mean something here are the same options.
import type { FlagTargets, MemberFlag } from './flag-row.ts'
import { split, toggle } from './flag-type.ts'

type Switch = 'initialCorruptCheck' | 'compactHashCheckEnabled' | 'leaseCheckpoints'

/** Undefined: there is nothing here that it could change. */
const gates: ReadonlyMap<string, Switch | undefined> = new Map([
  ['InitialCorruptCheck', 'initialCorruptCheck'],
  ['CompactHashCheck', 'compactHashCheckEnabled'],
  ['LeaseCheckpoint', 'leaseCheckpoints'],
  ...[
    'AllAlpha',
    'AllBeta',
    'FastLeaseKeepAlive',
    'LeaseCheckpointPersist',
    'PriorityRequest',
    'SetMemberLocalAddr',
    'StopGRPCServiceOnDefrag',
    'TxnModeWriteWithSharedBuffer',
  ].map((name) => [name, undefined] as const),
])

export const featureGates: MemberFlag = {
  name: 'feature-gates',
  isSwitch: false,
  fallback: '',
  text: 'NAME=true or NAME=false of features, with commas.',
  put: (text: string, { options }: FlagTargets): string | undefined => {
    for (const part of split(text)) {
      const [name = '', word = ''] = part.split('=')
      const parsed = toggle.parse(word)
      if (!gates.has(name) || !part.includes('=') || 'mustBe' in parsed) {
        return `NAME=true or NAME=false of ${[...gates.keys()].join(', ')}`
      }
      const key = gates.get(name)
      if (key !== undefined) options[key] = parsed.value
    }
    return undefined
  },
}
