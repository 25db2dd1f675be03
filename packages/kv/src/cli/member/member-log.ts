// Log lines as etcd writes them: one JSON object a line, on standard error, so that tools that wait for etcd's lines find them.
import { logLevels } from './flags/command-settings.ts'
import type { LogLevel } from './flags/command-settings.ts'

export type MemberLog = (
  level: LogLevel,
  message: string,
  fields?: Readonly<Record<string, unknown>>,
) => void

/** Lines below `lowest` are left out. */
export function createMemberLog(lowest: LogLevel, write: (line: string) => void): MemberLog {
  const from = logLevels.indexOf(lowest)
  return (level, message, fields = {}) => {
    if (logLevels.indexOf(level) < from) return
    const line = { level, ts: new Date().toISOString(), caller: 'balsa/member', msg: message }
    write(`${JSON.stringify({ ...line, ...fields })}\n`)
  }
}
