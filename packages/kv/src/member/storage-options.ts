// The options of openMember that concern what is kept: the quota, how much history, and how members compare their data.
import { KvError } from '../errors.ts'

export const compactionModes = ['periodic', 'revision'] as const
export type CompactionMode = (typeof compactionModes)[number]

export interface StorageOptions {
  /** Bytes of tables in use above which nothing more is put: 0 for etcd's 2 GiB, negative for no limit. */
  readonly quotaBackendBytes?: number
  /** What `autoCompactionRetention` counts. */
  readonly autoCompactionMode?: CompactionMode
  /** History that is kept: hours or a duration like '30m', or in mode 'revision' so many revisions. '0' keeps all. */
  readonly autoCompactionRetention?: string
  /** How often the leader compares the data of all members; 0 for never. */
  readonly corruptCheckTimeMs?: number
  /** A member asks the others whether its data is theirs before it serves, and does not start if it is not. */
  readonly initialCorruptCheck?: boolean
  /** A member whose data differs from that of most stops, and takes theirs when it is started again. */
  readonly corruptRepair?: boolean
  /** Whether the leader also compares what every compaction left. */
  readonly compactHashCheckEnabled?: boolean
  /** How often it looks for a compaction to compare; 1 minute if left out. */
  readonly compactHashCheckTimeMs?: number
}

/** Undefined: nothing is compacted unasked. */
export type CompactionPlan =
  | { readonly mode: 'periodic'; readonly periodMs: number }
  | { readonly mode: 'revision'; readonly revisions: number }
  | undefined

export interface StoragePlan {
  /** Infinity: no limit. */
  readonly quotaBytes: number
  readonly compaction: CompactionPlan
  /** 0: never. */
  readonly corruptCheckTimeMs: number
  readonly compactHashCheckTimeMs: number
  readonly corruptRepair: boolean
}

const quotaBytesDefault = 2 * 2 ** 30
const minuteMs = 60_000
const hourMs = 3_600_000
const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: hourMs }

/** What a member does that was told nothing. */
export const plainStoragePlan: StoragePlan = planStorage({})

/** Throws an error that names the option at fault. */
export function planStorage(options: StorageOptions): StoragePlan {
  const quota = options.quotaBackendBytes ?? 0
  const limit = quota === 0 ? quotaBytesDefault : quota
  return {
    quotaBytes: limit < 0 ? Infinity : limit,
    compaction: planCompaction(options),
    corruptCheckTimeMs: options.corruptCheckTimeMs ?? 0,
    corruptRepair: options.corruptRepair ?? false,
    compactHashCheckTimeMs:
      options.compactHashCheckEnabled === true ? (options.compactHashCheckTimeMs ?? minuteMs) : 0,
  }
}

function planCompaction(options: StorageOptions): CompactionPlan {
  const { autoCompactionMode: mode = 'periodic', autoCompactionRetention: text = '0' } = options
  const number = /^\d+$/.test(text.trim()) ? Number(text) : undefined
  if (number === 0) return undefined
  if (mode === 'revision') {
    if (number === undefined) throw badRetention(text, 'a number of revisions')
    return { mode, revisions: number }
  }
  const periodMs = number === undefined ? durationMs(text) : number * hourMs
  if (periodMs === undefined) throw badRetention(text, "hours or a duration like '30m'")
  return periodMs === 0 ? undefined : { mode, periodMs }
}

function durationMs(text: string): number | undefined {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(text.trim())) return undefined
  let sum = 0
  for (const [, digits, unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    sum += Number(digits) * (unitsMs[unit] ?? 0)
  }
  return sum
}

function badRetention(text: string, want: string): KvError {
  const message = `--auto-compaction-retention is '${text}'; it must be ${want}`
  return new KvError('INTERNAL', { message })
}
