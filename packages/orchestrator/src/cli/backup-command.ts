// `balsa backup`: everything the running cluster's store holds, into a folder that goes on where it stopped: `balsa kv backup` in short.
import { Command } from 'commander'

interface BackupOptions {
  readonly endpoints: string
}

export const registerBackupCommand = (program: Command): void => {
  program
    .command('backup')
    .description('save the running cluster; again: what changed since (restore: balsa kv backup)')
    .argument('<folder>')
    .option('--endpoints <urls>', "the store's client URLs", 'http://127.0.0.1:2379')
    .action(async (folder: string, { endpoints }: BackupOptions) => {
      const { registerKvCommand } = await import('@balsa/kv/cli')
      const kv = new Command('balsa').exitOverride()
      registerKvCommand(kv)
      await kv.parseAsync(['kv', 'backup', 'run', folder, '--once', '--endpoints', endpoints], {
        from: 'user',
      })
    })
}
