// `balsa member`: one member as a server of its own, started, watched and stopped as one starts, watches and stops etcd.
import type { Command } from 'commander'
import type { Member } from '../../index.ts'
import { isProxyCommand, runProxy } from '../proxy/proxy-program.ts'
import { announceClosing, announceReady, announceServing, announceStart } from './announcements.ts'
import { compileEarly } from './compile-early.ts'
import { findMembers } from './find-members.ts'
import type { Environment } from './given-flags.ts'
import { IdleCollector } from './idle-collector.ts'
import { parseLogRotation } from './log-file.ts'
import { openLogOutputs } from './log-outputs.ts'
import { memberFailureText } from './member-failure.ts'
import { memberFlagsHelp } from './member-flags.ts'
import { createMemberLog, type MemberLog } from './member-log.ts'
import { parseMemberFlags, type MemberSettings } from './parse-member-flags.ts'
import { reloadSettings } from './reload-settings.ts'

/**
 * Adds `member`. The action resolves when the member was told to stop and has stopped; it rejects with an Error whose message is one
 * line when it cannot start or stops by itself.
 */
export function registerMemberCommand(program: Command): void {
  program
    .command('member')
    .description("run one member as a server, with etcd's flags and ETCD_ variables")
    .usage('[--name NAME] [--data-dir FOLDER] [flags of etcd ...]')
    .allowUnknownOption()
    .allowExcessArguments()
    .addHelpText('after', () => `\n${memberFlagsHelp()}`)
    .action((_own: object, { args }: Command) =>
      isProxyCommand(args) ? runProxy(args) : runMember(args, process.env),
    )
}

/** What the action does, for those who come under another name. */
export async function runMember(argv: readonly string[], env: Environment): Promise<void> {
  let current = parseMemberFlags(argv, env)
  const { logOutputs, enableLogRotation, logRotationConfig } = current
  const rotation = enableLogRotation ? parseLogRotation(logRotationConfig) : undefined
  const outputs = openLogOutputs(logOutputs, rotation)
  const log = createMemberLog({
    lowest: () => current.logLevel,
    format: current.logFormat,
    write: (line) => outputs.write(line),
  })
  let member: Member | undefined
  const reload = (): void => {
    if (member === undefined) log('warn', 'the member starts still; its settings are read later')
    else current = reloadSettings(current, member, { argv, env, outputs, log })
  }
  process.on('SIGHUP', reload)
  const collector = new IdleCollector()
  compileEarly()
  try {
    for (const warning of current.warnings) log('warn', warning)
    await serve(await findMembers(current, log), log, (opened) => {
      member = opened
    })
  } finally {
    process.off('SIGHUP', reload)
    collector.stop()
    outputs.close()
  }
}

async function serve(
  settings: MemberSettings,
  log: MemberLog,
  onOpened: (member: Member) => void,
): Promise<void> {
  const { options } = settings
  announceStart(settings, log)
  const stopped = stopSignal(log)
  let fail: (error: Error) => void = () => undefined
  let isOver = false
  const failed = new Promise<never>((_resolve, reject) => {
    fail = (error) => {
      isOver = true
      reject(error)
    }
  })
  try {
    // Loaded here, so that `balsa kv` does not read the code of a whole member.
    const { forceNewCluster, openMember } = await import('../../index.ts')
    if (settings.forceNewCluster !== undefined) {
      log('warn', await forceNewCluster(options, settings.forceNewCluster))
    }
    const member = await openMember({
      ...options,
      onWarning: (message) => log('warn', message),
      onLog: log,
      onFailed: (error) => fail(error),
    })
    onOpened(member)
    try {
      announceServing(member, settings, log)
      const announced = member.ready().then(() => {
        // A member that stops meanwhile is through with waiting too.
        if (!isOver) announceReady(member, settings, log)
        return stopped
      })
      await Promise.race([stopped, failed, announced])
    } finally {
      isOver = true
      announceClosing(settings, log, 'closing')
      await member.close()
    }
  } catch (reason) {
    if (isRemoved(reason)) {
      log('error', 'server error', { error: reason.message })
      log('warn', 'the data-dir used by this member must be removed')
      return
    }
    throw new Error(memberFailureText(reason, options), { cause: reason })
  }
  announceClosing(settings, log, 'closed')
}

/** As in etcd, a member that was removed stops as if it had been told to. */
function isRemoved(reason: unknown): reason is Error {
  return reason instanceof Error && 'code' in reason && reason.code === 'MEMBER_REMOVED'
}

/** As etcd names them. */
const signalNames: Readonly<Record<string, string>> = {
  SIGTERM: 'terminated',
  SIGINT: 'interrupt',
}

/** Resolves at the first SIGTERM or SIGINT; the second ends the process at once. */
function stopSignal(log: MemberLog): Promise<void> {
  return new Promise((resolve) => {
    let isStopping = false
    const stop = (signal: NodeJS.Signals): void => {
      if (isStopping) process.exit(1)
      isStopping = true
      log('info', 'received signal; shutting down', { signal: signalNames[signal] ?? signal })
      resolve()
    }
    process.on('SIGTERM', stop)
    process.on('SIGINT', stop)
  })
}
