// What the agent remembers of one container between its own restarts: which run it is in, how runs ended, how long to wait. Times are
// epoch milliseconds. Written before a process is started, so that an agent that dies at any line finds what it may have started.

/** How one run ended. */
export interface Ending {
  readonly id: string
  readonly exitCode: number
  readonly reason: string
  readonly message?: string
  readonly startedAtMs: number
  readonly finishedAtMs: number
}

export interface ContainerRecord {
  /** `created`: no run yet. `running`: started, or about to be when the agent died. `ended`: see `ending`. */
  readonly state: 'created' | 'running' | 'ended'
  /** Number of the run: 0 for the first. */
  readonly restartCount: number
  readonly id: string
  readonly startedAtMs: number
  readonly ending?: Ending
  /** How the run before this one ended. */
  readonly lastEnding?: Ending
  readonly backOff?: { readonly ms: number; readonly updatedAtMs: number }
}

export const newRecord: ContainerRecord = {
  state: 'created',
  restartCount: 0,
  id: '',
  startedAtMs: 0,
}

export const crashBackOffFirstMs = 10_000
export const crashBackOffMaxMs = 300_000
/** A container that ran so long before it ended starts with the first delay again. */
export const crashBackOffResetMs = 600_000

/** When an ended container may run again; the first restart is at once. */
export function restartAtMs(record: ContainerRecord): number {
  const finishedAtMs = record.ending?.finishedAtMs ?? 0
  const backOff = liveBackOff(record, finishedAtMs)
  return backOff === undefined ? finishedAtMs : finishedAtMs + backOff.ms
}

/** The record of the next run; `id` names it. */
export function startedRecord(record: ContainerRecord, id: string, nowMs: number): ContainerRecord {
  if (record.state === 'created') return { ...record, state: 'running', id, startedAtMs: nowMs }
  const finishedAtMs = record.ending?.finishedAtMs ?? nowMs
  const backOff = liveBackOff(record, finishedAtMs)
  const ms =
    backOff === undefined ? crashBackOffFirstMs : Math.min(backOff.ms * 2, crashBackOffMaxMs)
  return {
    state: 'running',
    restartCount: record.restartCount + 1,
    id,
    startedAtMs: nowMs,
    backOff: { ms, updatedAtMs: finishedAtMs },
    ...(record.ending === undefined ? {} : { lastEnding: record.ending }),
  }
}

export function endedRecord(
  record: ContainerRecord,
  how: { exitCode: number; reason?: string; message?: string; finishedAtMs: number },
): ContainerRecord {
  const { message } = how
  return {
    ...record,
    state: 'ended',
    ending: {
      id: record.id,
      exitCode: how.exitCode,
      reason: how.reason ?? (how.exitCode === 0 ? 'Completed' : 'Error'),
      ...(message === undefined ? {} : { message }),
      startedAtMs: record.startedAtMs,
      finishedAtMs: how.finishedAtMs,
    },
  }
}

const liveBackOff = (
  record: ContainerRecord,
  atMs: number,
): { readonly ms: number; readonly updatedAtMs: number } | undefined =>
  record.backOff !== undefined && atMs - record.backOff.updatedAtMs <= crashBackOffResetMs
    ? record.backOff
    : undefined
