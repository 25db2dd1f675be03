// What a learner serves: as etcd's, only reads that may be stale (ours within a bound, too), its own status and a copy of its data. All else
// is for members that vote.
import { KvError } from '../../errors.ts'
import { decodeRangeRequest } from '../../proto/index.ts'
import type { Method } from './method.ts'

/** Whether a learner answers this request. */
type Rule = (body: Uint8Array) => boolean

const always: Rule = () => true
const rules: ReadonlyMap<string, Rule> = new Map([
  ['/etcdserverpb.KV/Range', isStaleRange],
  ['/etcdserverpb.Maintenance/Status', always],
  ['/etcdserverpb.Maintenance/Snapshot', always],
])

function isStaleRange(body: Uint8Array): boolean {
  const { serializable, maxStalenessMs = 0 } = decodeRangeRequest(body)
  return serializable || maxStalenessMs > 0
}

/** The same method, which refuses a learner what it does not serve. */
export function withLearnerRule(method: Method): Method {
  const rule = rules.get(method.path)
  if (rule === always) return method
  if (method.kind === 'stream') {
    return {
      ...method,
      open: (member, out) => {
        if (member.cluster.isLearner()) throw new KvError('LEARNER_NOT_SUPPORTED')
        return method.open(member, out)
      },
    }
  }
  return {
    ...method,
    call: (member, body, reply) => {
      const isRefused = member.cluster.isLearner() && rule?.(body) !== true
      if (isRefused) throw new KvError('LEARNER_NOT_SUPPORTED')
      return method.call(member, body, reply)
    },
  }
}
