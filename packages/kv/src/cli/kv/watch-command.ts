// watch: prints events until it is interrupted.
import type { Command } from 'commander'
import type { Kv } from '../../kv.ts'
import { selection } from './key-flags.ts'
import { wholeNumber, withKv } from './kv-options.ts'
import type { KvGlobals } from './kv-options.ts'
import { eventJson, printEvent, printJson } from './kv-output.ts'

type Watch = KvGlobals & {
  prefix?: boolean
  fromKey?: boolean
  rev?: number
  fromRevision?: number
  prevKv?: boolean
  progressNotify?: boolean
}

export function registerWatchCommand(kv: Command): void {
  kv.command('watch')
    .description('print changes as they happen')
    .argument('<key>')
    .argument('[range-end]')
    .option('--prefix', 'all keys that begin with <key>')
    .option('--from-key', 'all keys from <key> on')
    .option('--rev <revision>', 'begin with this revision', wholeNumber)
    .option('--from-revision <revision>', 'the same as --rev', wholeNumber)
    .option('--prev-kv', 'print what was there before')
    .option('--progress-notify', 'also say from time to time that nothing happened')
    .action((key: string, rangeEnd: string | undefined, _own: object, command: Command) => {
      const options = command.optsWithGlobals<Watch>()
      const keys = selection(key, rangeEnd, options)
      return withKv(options, (client) => watch(client, keys, options))
    })
}

/** Resolves when the process is told to stop; rejects when the watch ends by itself. */
function watch(kv: Kv, keys: ReturnType<typeof selection>, options: Watch): Promise<void> {
  const startRevision = options.fromRevision ?? options.rev
  return new Promise((resolve, reject) => {
    const request = {
      ...keys,
      ...(startRevision === undefined ? {} : { startRevision }),
      prevKv: options.prevKv ?? false,
      progressNotify: options.progressNotify ?? false,
    }
    const running = kv.watch(request, {
      batch: ({ events, revision }) => {
        if (options.writeOut === 'json') {
          const Events = events.map(eventJson)
          const rest = { CompactRevision: 0, Canceled: false, Created: false }
          printJson({ Header: { revision }, Events, ...rest })
        } else {
          for (const event of events) printEvent(options, event)
        }
      },
      ended: (error) => {
        if (error === undefined) resolve()
        else reject(error)
      },
    })
    process.once('SIGINT', () => running.close())
    process.once('SIGTERM', () => running.close())
  })
}
