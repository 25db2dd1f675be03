// `balsa kv`: a client for the command line, for those who have no etcdctl. Names, flags and output are etcdctl's.
import type { Command } from 'commander'
import { closePasswords } from './ask-password.ts'
import { registerLockCommands } from './lock-commands.ts'
import { registerMaintenanceCommands } from './maintenance-commands.ts'
import { registerMemberCommands } from './member-commands.ts'
import { registerAuthCommands } from './auth-commands.ts'
import { registerCheckCommands } from './check-commands.ts'
import { registerClusterCommands } from './cluster-commands.ts'
import { registerCompletionCommand } from './completion-command.ts'
import { registerKeyCommands } from './key-commands.ts'
import { addKvOptions, askMissingPassword } from './kv-options.ts'
import { registerLeaseCommands } from './lease-commands.ts'
import { registerQuotaCommands } from './quota-commands.ts'
import { registerBackupCommands } from '../moving/backup-commands.ts'
import { registerFeedCommand } from '../moving/feed-command.ts'
import { registerMirrorCommand } from '../moving/mirror-command.ts'
import { registerSnapshotCommands } from '../moving/snapshot-commands.ts'
import { registerTopCommand } from '../top/top-command.ts'
import { registerTxnCommand } from './txn-command.ts'
import { registerVersionCommand } from './version-command.ts'
import { registerWatchCommand } from './watch-command.ts'

/** Adds `kv`. A failure rejects the action with an Error whose message is one line. */
export function registerKvCommand(program: Command): void {
  const kv = program.command('kv').description('read and write a Balsa or an etcd cluster')
  addKvOptions(kv)
  registerKeyCommands(kv)
  registerTxnCommand(kv)
  registerWatchCommand(kv)
  registerLeaseCommands(kv)
  registerClusterCommands(kv)
  registerCheckCommands(kv)
  registerSnapshotCommands(kv)
  registerMemberCommands(kv)
  registerMaintenanceCommands(kv)
  registerLockCommands(kv)
  registerAuthCommands(kv)
  registerQuotaCommands(kv)
  registerBackupCommands(kv)
  registerMirrorCommand(kv)
  registerFeedCommand(kv)
  registerTopCommand(kv)
  registerVersionCommand(kv)
  registerCompletionCommand(kv)
  kv.hook('preAction', () => askMissingPassword(kv))
  kv.hook('postAction', () => closePasswords())
}
