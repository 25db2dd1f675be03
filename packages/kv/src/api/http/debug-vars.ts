// /debug/vars: what Go's programs publish there, as far as there is such a thing here: the command line, the limit of open files, memory,
// and raft's state in etcd's words.
import { limit } from '../../member/process-metrics.ts'
import type { MemberApi } from '../../member/types.ts'

/** Text in the form of Go's expvar. */
export function debugVars(member: MemberApi): string {
  const { rss, heapTotal, heapUsed } = process.memoryUsage()
  const { header, leader, raftTerm, raftIndex, raftAppliedIndex } = member.status()
  const isLeader = leader === header.memberId
  const vars: Readonly<Record<string, unknown>> = {
    cmdline: process.argv,
    file_descriptor_limit: limit('open files'),
    memstats: { Sys: rss, HeapSys: heapTotal, HeapAlloc: heapUsed, HeapInuse: heapUsed },
    'raft.status': {
      id: header.memberId.toString(16),
      term: raftTerm,
      commit: raftIndex,
      lead: leader.toString(16),
      raftState: isLeader ? 'StateLeader' : 'StateFollower',
      applied: raftAppliedIndex,
    },
  }
  const lines = Object.entries(vars).map(([name, value]) => {
    return `${JSON.stringify(name)}: ${JSON.stringify(value)}`
  })
  return `{\n${lines.join(',\n')}\n}\n`
}
