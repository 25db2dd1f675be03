// The checks behind /livez and /readyz, under etcd's names.
import type { KvError } from '../../errors.ts'
import { encodeRangeRequest } from '../../proto/index.ts'
import { alarmType } from '../../proto/messages.ts'
import type { MemberApi } from '../../member/types.ts'

export const checkNames = [
  'data_corruption',
  'serializable_read',
  'linearizable_read',
  'non_learner',
] as const
/** What a member must pass that is merely alive. */
export const livenessChecks = ['serializable_read'] as const
export type CheckName = (typeof checkNames)[number]

export interface CheckResult {
  readonly name: CheckName
  /** Undefined: the check passed. */
  readonly problem: string | undefined
}

/** Runs all at once; one that does not answer in time has failed. */
export async function runChecks(
  member: MemberApi,
  names: readonly CheckName[],
  timeoutMs: number,
): Promise<readonly CheckResult[]> {
  return Promise.all(
    names.map(async (name) => ({ name, problem: await runCheck(member, name, timeoutMs) })),
  )
}

function runCheck(
  member: MemberApi,
  name: CheckName,
  timeoutMs: number,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve('timed out'), timeoutMs)
    const finish = (problem: string | undefined): void => {
      clearTimeout(timer)
      resolve(problem)
    }
    switch (name) {
      case 'data_corruption':
        member.alarms((error, response) => {
          const isCorrupt = response?.alarms.some(({ alarm }) => alarm === alarmType.corrupt)
          finish(error?.message ?? (isCorrupt === true ? 'alarm activated: CORRUPT' : undefined))
        })
        return
      case 'serializable_read':
        member.range(healthRange(true), (error) => finish(problemOf(error)))
        return
      case 'linearizable_read':
        member.range(healthRange(false), (error) => finish(problemOf(error)))
        return
      case 'non_learner':
        finish(member.status().isLearner ? 'member is a learner' : undefined)
    }
  })
}

/** A probe has no name: to be refused for that is an answer too. */
function problemOf(error: KvError | undefined): string | undefined {
  const isRefusal = error?.code === 'USER_EMPTY' || error?.code === 'PERMISSION_DENIED'
  return isRefusal ? undefined : error?.message
}

/** etcd asks for this key too; it need not exist. */
function healthRange(serializable: boolean): Uint8Array {
  return encodeRangeRequest({
    key: Uint8Array.from(Buffer.from('health')),
    rangeEnd: new Uint8Array(0),
    limit: 0,
    revision: 0,
    sortOrder: 0,
    sortTarget: 0,
    serializable,
    keysOnly: true,
    countOnly: false,
    minModRevision: 0,
    maxModRevision: 0,
    minCreateRevision: 0,
    maxCreateRevision: 0,
  })
}
