// Every method that is served, whatever the wire.
import { authMethods } from './auth.ts'
import { clusterMethods } from './cluster.ts'
import { electionMethods } from './election.ts'
import { kvMethods } from './kv.ts'
import { withLearnerRule } from './learner-rule.ts'
import { leaseMethods } from './lease.ts'
import { lockMethods } from './lock.ts'
import { maintenanceMethods } from './maintenance.ts'
import type { Method } from './method.ts'
import { quotaMethods } from './quota.ts'
import { watchMethods } from './watch.ts'

const everyMethod: readonly Method[] = [
  ...kvMethods,
  ...watchMethods,
  ...leaseMethods,
  ...clusterMethods,
  ...maintenanceMethods,
  ...authMethods,
  ...lockMethods,
  ...electionMethods,
  ...quotaMethods,
]

/** What a learner does not serve is refused here. */
export const methods: readonly Method[] = everyMethod.map(withLearnerRule)
export type {
  GiveUp,
  Method,
  Reply,
  ReplyStream,
  RequestStream,
  Served,
  StreamMethod,
  UnaryMethod,
} from './method.ts'
