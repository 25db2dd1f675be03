// `balsa member`: one member as a server of its own, started, watched and stopped as one starts, watches and stops etcd.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import type { Member } from '../../index.ts'
import { memberFailureText } from './member-failure.ts'
import { memberFlagsHelp } from './member-flags.ts'
import { createMemberLog } from './member-log.ts'
import type { MemberLog } from './member-log.ts'
import { parseMemberFlags } from './parse-member-flags.ts'
import type { MemberSettings } from './parse-member-flags.ts'

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
    .addHelpText('after', memberFlagsHelp())
    .action((_own: object, command: Command) =>
      runMember(parseMemberFlags(command.args, process.env)),
    )
}

async function runMember(settings: MemberSettings): Promise<void> {
  const { options } = settings
  const log = createMemberLog(settings.logLevel, (line) => process.stderr.write(line))
  if (settings.clusterState === 'existing' && !existsSync(join(options.dataDir, 'member'))) {
    throw new Error(
      `--initial-cluster-state is 'existing' but --data-dir '${options.dataDir}' holds no member; joining a running cluster is not there yet, start new members with 'new'`,
    )
  }
  for (const warning of settings.warnings) log('warn', warning)
  log('debug', 'starting a member', { ...options })
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
    try {
      const announced = member.ready().then(() => {
        // A member that stops meanwhile is through with waiting too.
        if (!isOver) announce(member, log)
        return stopped
      })
      await Promise.race([stopped, failed, announced])
    } finally {
      isOver = true
      await member.close()
    }
  } catch (reason) {
    throw new Error(memberFailureText(reason, options), { cause: reason })
  }
  log('info', 'closed')
}

/** The lines that tools wait for, once the member takes part in a cluster that has a quorum. */
function announce(member: Member, log: MemberLog): void {
  log('info', 'published local member to cluster through raft', {
    'local-member-id': member.id.toString(16),
    'local-member-attributes': { name: member.name, clientURLs: member.clientUrls },
    'cluster-id': member.clusterId.toString(16),
  })
  for (const url of member.clientUrls) {
    log('info', 'ready to serve client requests', { address: url.replace(/^https?:\/\//, '') })
  }
}

/** Resolves at the first SIGTERM or SIGINT; the second ends the process at once. */
function stopSignal(log: MemberLog): Promise<void> {
  return new Promise((resolve) => {
    let isStopping = false
    const stop = (signal: NodeJS.Signals): void => {
      if (isStopping) process.exit(1)
      isStopping = true
      log('info', 'received signal; shutting down', { signal })
      resolve()
    }
    process.on('SIGTERM', stop)
    process.on('SIGINT', stop)
  })
}
