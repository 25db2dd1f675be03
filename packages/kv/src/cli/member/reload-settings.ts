// SIGHUP: the configuration file is read again while the member runs. What can change does, the rest is named.
import type { Member } from '../../index.ts'
import type { Environment } from './given-flags.ts'
import type { LogOutputs } from './log-outputs.ts'
import type { MemberLog } from './member-log.ts'
import { parseMemberFlags, type MemberSettings } from './parse-member-flags.ts'

/** Options that Member.reconfigure() takes. */
const liveOptions: readonly string[] = [
  'maxRequestBytes',
  'maxTxnOps',
  'maxConcurrentStreams',
  'grpcKeepaliveMinTimeMs',
  'grpcKeepaliveIntervalMs',
  'grpcKeepaliveTimeoutMs',
  'quotaBackendBytes',
  'autoCompactionMode',
  'autoCompactionRetention',
]

export interface Reloading {
  readonly argv: readonly string[]
  readonly env: Environment
  readonly outputs: LogOutputs
  readonly log: MemberLog
}

/** The settings that hold now: the old ones if the new ones are wrong. Certificates are not meant: they renew themselves. */
export function reloadSettings(
  before: MemberSettings,
  member: Member,
  { argv, env, outputs, log }: Reloading,
): MemberSettings {
  let now: MemberSettings
  try {
    outputs.reopen()
    now = parseMemberFlags(argv, env)
    member.reconfigure(now.options)
  } catch (reason) {
    const error = reason instanceof Error ? reason.message : String(reason)
    log('error', 'the settings could not be read again; the old ones stay', { error })
    return before
  }
  const changed = changedKeys(before.options, now.options)
  if (before.logLevel !== now.logLevel) changed.push('logLevel')
  const live = changed.filter((key) => key === 'logLevel' || liveOptions.includes(key))
  const stale = changed.filter((key) => !live.includes(key))
  log('info', 'read the settings again', { changed: live })
  if (stale.length > 0) log('warn', 'changed settings that take a restart', { changed: stale })
  return { ...before, options: now.options, logLevel: now.logLevel }
}

function changedKeys(before: object, now: object): string[] {
  const old = new Map(Object.entries(before))
  const fresh = new Map(Object.entries(now))
  const keys = [...new Set([...old.keys(), ...fresh.keys()])]
  return keys.filter((key) => JSON.stringify(old.get(key)) !== JSON.stringify(fresh.get(key)))
}
