// get, put, del and compaction.
import type { Command } from 'commander'
import { readStandardInput } from './read-standard-input.ts'
import type { DeleteOptions, PutOptions, RangeOptions } from '../../kv.ts'
import { leaseId, oneOf, wholeNumber, withKv } from './kv-options.ts'
import type { KvGlobals } from './kv-options.ts'
import { pairJson, printBytes, printJson, printLine } from './kv-output.ts'

type Get = KvGlobals & {
  prefix?: boolean
  fromKey?: boolean
  rev?: number
  limit?: number
  keysOnly?: boolean
  countOnly?: boolean
  printValueOnly?: boolean
  order?: string
  sortBy?: string
  consistency: string
}
type Put = KvGlobals & { lease?: bigint; prevKv?: boolean }
type Delete = KvGlobals & { prefix?: boolean; fromKey?: boolean; prevKv?: boolean }

const sortTargets: Readonly<Record<string, NonNullable<RangeOptions['sort']>['by']>> = {
  KEY: 'key',
  VERSION: 'version',
  CREATE: 'create',
  MODIFY: 'mod',
  VALUE: 'value',
}
/** As a range end: every key from the first one on. */
const noEnd = '\0'

export function registerKeyCommands(kv: Command): void {
  kv.command('get')
    .description('print a key or a range of keys')
    .argument('<key>')
    .argument('[range-end]')
    .option('--prefix', 'all keys that begin with <key>')
    .option('--from-key', 'all keys from <key> on')
    .option('--rev <revision>', 'as it was at this revision', wholeNumber)
    .option('--limit <count>', 'at most so many', wholeNumber)
    .option('--keys-only', 'without values')
    .option('--count-only', 'only how many there are')
    .option('--print-value-only', 'only values')
    .option('--order <order>', 'ASCEND or DESCEND', oneOf('ASCEND', 'DESCEND'))
    .option(
      '--sort-by <target>',
      Object.keys(sortTargets).join(', '),
      oneOf(...Object.keys(sortTargets)),
    )
    .option('--consistency <level>', 'l (linearizable) or s (serializable)', oneOf('l', 's'), 'l')
    .action((key: string, rangeEnd: string | undefined, _own: object, command: Command) =>
      get(key, rangeEnd, command.optsWithGlobals<Get>()),
    )
  kv.command('put')
    .description('store a value; without <value> it is read from standard input')
    .argument('<key>')
    .argument('[value]')
    .option('--lease <id>', 'hang the key on this lease', leaseId)
    .option('--prev-kv', 'print what was there before')
    .action((key: string, value: string | undefined, _own: object, command: Command) =>
      put(key, value, command.optsWithGlobals<Put>()),
    )
  kv.command('del')
    .description('remove a key or a range of keys')
    .argument('<key>')
    .argument('[range-end]')
    .option('--prefix', 'all keys that begin with <key>')
    .option('--from-key', 'all keys from <key> on')
    .option('--prev-kv', 'print what was removed')
    .action((key: string, rangeEnd: string | undefined, _own: object, command: Command) =>
      remove(key, rangeEnd, command.optsWithGlobals<Delete>()),
    )
  kv.command('compaction')
    .description('drop the history before a revision')
    .argument('<revision>', '', wholeNumber)
    .action((revision: number, _own: object, command: Command) =>
      withKv(command.optsWithGlobals<KvGlobals>(), async (client) => {
        await client.compact(revision)
        printLine(`compacted revision ${revision}`)
      }),
    )
}

async function get(key: string, rangeEnd: string | undefined, options: Get): Promise<void> {
  const { order, sortBy } = options
  const isSorted = order !== undefined || sortBy !== undefined
  const sort = {
    by: sortTargets[sortBy ?? 'KEY'] ?? 'key',
    order: order === 'DESCEND' ? 'descend' : 'ascend',
  } as const
  const request: RangeOptions = {
    ...selection(key, rangeEnd, options),
    ...(options.rev === undefined ? {} : { revision: options.rev }),
    ...(options.limit === undefined ? {} : { limit: options.limit }),
    ...(isSorted ? { sort } : {}),
    keysOnly: options.keysOnly ?? false,
    countOnly: options.countOnly ?? false,
    serializable: options.consistency === 's',
  }
  await withKv(options, async (kv) => {
    const { pairs, count, more, revision } = await kv.range(request)
    if (options.writeOut === 'json') {
      const kvs = pairs.length === 0 ? undefined : pairs.map(pairJson)
      printJson({ header: { revision }, kvs, more: more || undefined, count: count || undefined })
      return
    }
    if (options.countOnly === true) printLine(String(count))
    for (const pair of pairs) {
      if (options.printValueOnly === true) printBytes(options, pair.value)
      else printBytes(options, pair.key, pair.value)
    }
  })
}

async function put(key: string, value: string | undefined, options: Put): Promise<void> {
  const request: PutOptions = {
    ...(options.lease === undefined ? {} : { lease: options.lease }),
    prevKv: options.prevKv ?? false,
  }
  const bytes = value ?? (await readStandardInput())
  await withKv(options, async (kv) => {
    const { revision, prev } = await kv.put(key, bytes, request)
    if (options.writeOut === 'json') {
      printJson({ header: { revision }, prev_kv: prev === undefined ? undefined : pairJson(prev) })
      return
    }
    printLine('OK')
    if (prev !== undefined) printBytes(options, prev.key, prev.value)
  })
}

async function remove(key: string, rangeEnd: string | undefined, options: Delete): Promise<void> {
  const end = options.fromKey === true ? noEnd : rangeEnd
  const request: DeleteOptions = {
    ...(end === undefined ? {} : { rangeEnd: end }),
    prefix: options.prefix ?? false,
    prevKv: options.prevKv ?? false,
  }
  // As for etcdctl: the empty key with --from-key is the smallest there is.
  const from = key === '' && options.fromKey === true ? noEnd : key
  await withKv(options, async (kv) => {
    const { revision, deleted, prev } = await kv.delete(from, request)
    if (options.writeOut === 'json') {
      const prev_kvs = prev.length === 0 ? undefined : prev.map(pairJson)
      printJson({ header: { revision }, deleted: deleted || undefined, prev_kvs })
      return
    }
    printLine(String(deleted))
    for (const pair of prev) printBytes(options, pair.key, pair.value)
  })
}

/** The three ways to name keys, on the command line of get and watch. */
export function selection(
  key: string,
  rangeEnd: string | undefined,
  options: { readonly prefix?: boolean; readonly fromKey?: boolean },
): { readonly key?: string; readonly rangeEnd?: string; readonly prefix?: string } {
  if (options.prefix === true && options.fromKey === true) {
    throw new Error('--prefix and --from-key cannot be used together; leave one out')
  }
  if (rangeEnd !== undefined && (options.prefix === true || options.fromKey === true)) {
    throw new Error('a range end cannot be used with --prefix or --from-key; leave one out')
  }
  if (options.prefix === true) return { prefix: key }
  if (options.fromKey === true) return { key: key === '' ? noEnd : key, rangeEnd: noEnd }
  return rangeEnd === undefined ? { key } : { key, rangeEnd }
}
