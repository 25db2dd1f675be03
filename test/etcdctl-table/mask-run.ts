// Takes out of what etcdctl printed what may differ between two servers that behave the same.
import type { Run } from './run-etcdctl.ts'
import type { Server } from './servers.ts'

const numbers =
  'cluster_id|member_id|raft_term|lease|ID|id|leader|raftIndex|raftTerm|raftAppliedIndex|dbSize|dbSizeInUse|ttl|totalSize|totalKey'
const fields =
  'ClusterID|MemberID|RaftTerm|Lease|ID|Leader|RaftIndex|RaftAppliedIndex|DBSize|DBSizeInUse|TTL|Size|Hash|Keys'

/** Formats and verbs that need more than what all have. */
const special: readonly [line: RegExp, pattern: RegExp, mask: string][] = [
  [/-w table/, /-{2,}/g, '--'],
  [/-w table/, / {2,}/g, ' '],
  [/^endpoint status/, /\d+\.\d+\.\d+/g, 'VERSION'],
  [/^endpoint status/, /\d+(?:\.\d+)? [kM]?B/g, 'SIZE'],
  // Term, index and applied index.
  [/^endpoint status/, /(true|false)((?:,| \|) )\d+\2\d+\2\d+/g, '$1$2N$2N$2N'],
  [/^check/, /\r[^\r\n]*/g, ''],
  [/^check/, /[-\d.]+ MB/g, 'SIZE'],
  [/^endpoint health/, /[\d.]+[µnm]?s\b/g, 'TIME'],
  [/^endpoint health/, /[\d.]+Âµs/g, 'TIME'],
  [/^snapshot status/, /\d+(?:\.\d+)? [kM]?B/g, 'SIZE'],
  [/^snapshot status/, /"hash":\d+/g, '"hash":N'],
  [/^snapshot status/, /^((?:\| )?)[0-9a-f]{1,8}(,? )/gm, '$1HASH$2'],
  // Keys of all buckets, those of the server among them.
  [/^snapshot status/, /^((?:\| )?HASH(?:,| \|) \d+(?:,| \|) )\d+/gm, '$1N'],
]

export function maskRun(run: Run, line: string, { facts, name }: Server): Run {
  const clean = (text: string): string => {
    let masked = text
      .replaceAll(facts.get('dir') ?? name, 'DIR')
      // Where in its code etcdctl fell over, in how many threads.
      .replace(/\n\ngoroutine [\s\S]*/, '')
      .replaceAll(/^\d{4}-\d\d-\d\d [\d:.]+ /gm, 'NOW ')
      // What the client's library logs; what the user is told comes beside it.
      .replaceAll(/^\{"level":.*\n/gm, '')
      .replaceAll(/^(?:INFO|WARNING|ERROR): \d{4}\/.*\n/gm, '')
      .replaceAll(/\bhttps?:\/\/127\.0\.0\.1:\d{2,}/g, 'URL')
      .replaceAll(/127\.0\.0\.1:\d{2,}/g, 'HOST')
      .replaceAll(new RegExp(`"(${numbers})":-?\\d+`, 'g'), '"$1":N')
      .replaceAll(new RegExp(`^("(?:${fields})" :) -?\\d+$`, 'gm'), '$1 N')
      .replaceAll(/\b[0-9a-f]{14,16}\b/g, 'ID')
      .replaceAll(/remaining\(\d+s\)/g, 'remaining(TIME)')
      .replaceAll(/took[ =]+[\d.]+(?:Âµ|[nm])?s/g, 'took TIME')
      .replaceAll(/ +ID\b/g, ' ID')
      // In no order, or in that of random ids.
      .replaceAll(/keys\(\[(.*)\]\)/g, (_, keys: string) => keys.split(' ').sort().join(' '))
      .replaceAll(/"keys":\[(.*)\]/g, (_, keys: string) => keys.split(',').sort().join(' '))
      .replaceAll(/(?:^(?:"Key" :|ID, (?:un)?started,).*\n)+/gm, (lines) =>
        lines.split('\n').sort().join('\n'),
      )
      .replaceAll(/ETCD_INITIAL_CLUSTER="(.*)"/g, (_, all: string) =>
        all.split(',').sort().join(','),
      )
    for (const [where, pattern, mask] of special) {
      if (where.test(line)) masked = masked.replaceAll(pattern, mask)
    }
    return masked
  }
  const stdout = line.endsWith('-w protobuf') ? withoutHeader(run.stdout) : clean(run.stdout)
  return { exitCode: run.exitCode, stdout, stderr: clean(run.stderr) }
}

/** A message without its first field, which is the header. */
function withoutHeader(message: string): string {
  const isHeader = message.startsWith('\n')
  return isHeader ? message.slice(2 + message.charCodeAt(1)) : message
}
