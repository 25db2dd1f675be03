// Log lines as etcd writes them: one JSON object a line, or for people a line with tabs, so that tools that wait for etcd's lines find them.
import { logLevels } from './flags/command-settings.ts'
import type { LogFormat, LogLevel } from './flags/command-settings.ts'

export type LogFields = Readonly<Record<string, unknown>>
export type MemberLog = (level: LogLevel, message: string, fields?: LogFields) => void

export interface MemberLogOptions {
  /** Lines below it are left out; may change while the log is used. */
  readonly lowest: () => LogLevel
  readonly format: LogFormat
  readonly write: (line: string) => void
}

export function createMemberLog({ lowest, format, write }: MemberLogOptions): MemberLog {
  const lineOf = format === 'json' ? jsonLine : consoleLine
  return (level, message, fields = {}) => {
    if (logLevels.indexOf(level) < logLevels.indexOf(lowest())) return
    write(`${lineOf(level, message, fields)}\n`)
  }
}

function jsonLine(level: LogLevel, message: string, fields: LogFields): string {
  return JSON.stringify({ level, ts: new Date().toISOString(), msg: message, ...fields })
}

function consoleLine(level: LogLevel, message: string, fields: LogFields): string {
  const words = [new Date().toISOString(), level, message]
  if (Object.keys(fields).length > 0) words.push(JSON.stringify(fields))
  return words.join('\t')
}
