// backup run, status and restore: a snapshot and every change after it, back to any revision or time.
import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import { downloadSnapshot } from '../../client/download-snapshot.ts'
import { checkBackup, restoreBackup } from '../../moving/restore-backup.ts'
import { takeBackup } from '../../moving/take-backup.ts'
import { connectOptionsOf, endpointsOf, wholeNumber, withKv } from '../kv/kv-options.ts'
import type { KvGlobals } from '../kv/kv-options.ts'
import { printJson, printLine } from '../kv/kv-output.ts'
import { ProgressBar } from './progress-bar.ts'
import {
  addRestoreFlags,
  logRestored,
  logRestoring,
  restoreOptionsOf,
  type RestoreFlags,
} from './restore-flags.ts'
import { sizeText } from './size-text.ts'
import { untilInterrupted } from './until-interrupted.ts'

type Run = KvGlobals & { readonly once?: boolean }
interface Restore extends RestoreFlags {
  readonly toRevision?: number
  readonly toTime?: number
}

export function registerBackupCommands(kv: Command): void {
  const backup = kv.command('backup').description('a snapshot and every change after it')
  backup
    .command('run')
    .description('begin a backup in a folder, or go on with it, until interrupted')
    .argument('<folder>')
    .option('--once', 'end when everything that is there now is saved')
    .action((folder: string, _own: object, command: Command) =>
      run(folder, command.optsWithGlobals<Run>()),
    )
  backup
    .command('status')
    .description('read all of a backup, and print what it reaches')
    .argument('<folder>')
    .action((folder: string, _own: object, command: Command) =>
      status(folder, command.optsWithGlobals<KvGlobals>().writeOut === 'json'),
    )
  const restoreCommand = backup
    .command('restore')
    .description('make a data folder as the store was at a revision or a time; else at the end')
    .argument('<folder>')
    .option('--to-revision <revision>', 'with this revision as the newest', wholeNumber)
    .option('--to-time <time>', 'with what came until then: 2026-11-21T16:00:00Z', timeMs)
  addRestoreFlags(restoreCommand).action((folder: string, own: Restore) => restore(folder, own))
}

function run(folder: string, options: Run): Promise<void> {
  const endpoints = endpointsOf(options)
  return withKv(options, async (kv) => {
    using progress = new ProgressBar(`backup ${folder}`)
    let saved = 0
    let taken = 0
    await untilInterrupted((signal) =>
      takeBackup({
        kv,
        // One server: the stream has no way to go on at another.
        snapshot: () =>
          downloadSnapshot({
            ...connectOptionsOf(options),
            endpoints: endpoints.slice(0, 1),
            signal,
          }),
        folder,
        signal,
        nowMs: () => Date.now(),
        isOnce: options.once ?? false,
        onBase: ({ bytes, remainingBytes }) => {
          taken += bytes.length
          progress.show(taken, taken + remainingBytes, sizeText(taken))
        },
        onSaved: (revision) => {
          saved = revision
          progress.show(revision, undefined, `revision ${revision}`)
        },
      }),
    )
    printLine(`Backup in ${folder} is at revision ${saved}`)
  })
}

function status(folder: string, isJson: boolean): void {
  const { bases, deltas, revision, timeMs: endMs, changes } = checkBackup(folder)
  const first = bases[0]?.revision ?? 0
  const until = new Date(endMs).toISOString()
  if (isJson) {
    const files = { bases: bases.length, deltas: deltas.length }
    printJson({ ...files, firstBase: first, revision, changes, until })
  } else {
    printLine(`${bases.length} bases from revision ${first} on, ${deltas.length} files of changes`)
    printLine(`reaches revision ${revision}, ${changes} changes after the last base, seen ${until}`)
  }
}

async function restore(folder: string, own: Restore): Promise<void> {
  const { toRevision, toTime } = own
  if (toRevision !== undefined && toTime !== undefined) {
    throw new Error('--to-revision and --to-time cannot be used together; leave one out')
  }
  const options = restoreOptionsOf(own)
  logRestoring(folder, own)
  using progress = new ProgressBar(`restoring ${folder}`)
  const point = {
    ...(toRevision === undefined ? {} : { toRevision }),
    ...(toTime === undefined ? {} : { toTimeMs: toTime }),
  }
  const restored = await restoreBackup(folder, point, {
    ...options,
    onProgress: (rows) => progress.show(rows, undefined, `${rows} rows`),
  })
  logRestored(folder, own, restored)
  printLine(`Restored revision ${restored.revision}`)
}

function timeMs(text: string): number {
  const value = Date.parse(text)
  if (Number.isFinite(value)) return value
  throw new InvalidArgumentError('Want a time such as 2026-11-21T16:00:00Z.')
}
