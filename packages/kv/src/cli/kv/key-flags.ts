// Flags of get, put and del, and the requests that they make: the same on the command line and in a txn.
import type { Command } from 'commander'
import type { DeleteOptions, PutOptions, RangeOptions } from '../../kv.ts'
import { leaseId, oneOf, wholeNumber } from './kv-options.ts'

export interface GetFlags {
  readonly prefix?: boolean
  readonly fromKey?: boolean
  readonly rev?: number
  readonly limit?: number
  readonly keysOnly?: boolean
  readonly countOnly?: boolean
  readonly printValueOnly?: boolean
  readonly order?: string
  readonly sortBy?: string
  readonly consistency: string
}
export interface PutFlags {
  readonly lease?: bigint
  readonly prevKv?: boolean
  readonly ignoreValue?: boolean
  readonly ignoreLease?: boolean
}
export interface DeleteFlags {
  readonly prefix?: boolean
  readonly fromKey?: boolean
  readonly prevKv?: boolean
}

const sortTargets: Readonly<Record<string, NonNullable<RangeOptions['sort']>['by']>> = {
  KEY: 'key',
  VERSION: 'version',
  CREATE: 'create',
  MODIFY: 'mod',
  VALUE: 'value',
}
/** As a range end: every key from the first one on. */
const noEnd = '\0'

export function addGetFlags(command: Command): Command {
  return command
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
}

export function addPutFlags(command: Command): Command {
  return command
    .argument('<key>')
    .argument('[value]')
    .option('--lease <id>', 'hang the key on this lease', leaseId)
    .option('--prev-kv', 'print what was there before')
    .option('--ignore-value', 'keep the value that is there')
    .option('--ignore-lease', 'keep the lease that is there')
}

export function addDeleteFlags(command: Command): Command {
  return command
    .argument('<key>')
    .argument('[range-end]')
    .option('--prefix', 'all keys that begin with <key>')
    .option('--from-key', 'all keys from <key> on')
    .option('--prev-kv', 'print what was removed')
}

export function rangeOptionsOf(
  key: string,
  rangeEnd: string | undefined,
  flags: GetFlags,
): RangeOptions {
  const { order, sortBy } = flags
  const isSorted = order !== undefined || sortBy !== undefined
  const sort = {
    by: sortTargets[sortBy ?? 'KEY'] ?? 'key',
    order: order === 'DESCEND' ? 'descend' : 'ascend',
  } as const
  return {
    ...selection(key, rangeEnd, flags),
    ...(flags.rev === undefined ? {} : { revision: flags.rev }),
    ...(flags.limit === undefined ? {} : { limit: flags.limit }),
    ...(isSorted ? { sort } : {}),
    keysOnly: flags.keysOnly ?? false,
    countOnly: flags.countOnly ?? false,
    serializable: flags.consistency === 's',
  }
}

export function putOptionsOf(flags: PutFlags): Omit<PutOptions, 'signal'> {
  return {
    ...(flags.lease === undefined ? {} : { lease: flags.lease }),
    prevKv: flags.prevKv ?? false,
    ignoreValue: flags.ignoreValue ?? false,
    ignoreLease: flags.ignoreLease ?? false,
  }
}

export function deleteOptionsOf(
  key: string,
  rangeEnd: string | undefined,
  flags: DeleteFlags,
): Omit<DeleteOptions, 'signal'> & { readonly key: string } {
  const end = flags.fromKey === true ? noEnd : rangeEnd
  return {
    // As for etcdctl: the empty key with --from-key is the smallest there is.
    key: key === '' && flags.fromKey === true ? noEnd : key,
    ...(end === undefined ? {} : { rangeEnd: end }),
    prefix: flags.prefix ?? false,
    prevKv: flags.prevKv ?? false,
  }
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
