// quota list, set and remove: what prefixes and users may have. Servers of etcd know none.
import { InvalidArgumentError, type Command } from 'commander'
import type { KvQuota, KvQuotaUse } from '../../kv.ts'
import { sizeText } from '../moving/size-text.ts'
import { withKv, type KvGlobals } from './kv-options.ts'
import { printJson, printLine, type JsonObject } from './kv-output.ts'
import { textTable } from './text-table.ts'

interface Limits {
  readonly prefix?: string
  readonly forUser?: string
  readonly maxKeys?: number
  readonly maxBytes?: number
  readonly maxWritesPerSecond?: number
}

export function registerQuotaCommands(kv: Command): void {
  const quota = kv.command('quota').description('what prefixes of keys and users may have')
  const list = quota.command('list').description('print all quotas and what is used of them')
  list.action(async () => {
    const globals = list.optsWithGlobals<KvGlobals>()
    await withKv(globals, async ({ maintenance }) => {
      printQuotas(await maintenance.quotas(), globals.writeOut)
    })
  })
  const set = subject(quota.command('set').description('set the quota of a prefix or of a user'))
    .option('--max-keys <count>', 'live keys under the prefix', limit)
    .option('--max-bytes <size>', 'of their keys and values: 1000, 64KiB, 2MiB, 1GiB', size)
    .option('--max-writes-per-second <count>', 'of the whole cluster', limit)
  set.action(async () => {
    const globals = set.optsWithGlobals<KvGlobals>()
    const limits = set.opts<Limits>()
    await withKv(globals, ({ maintenance }) => maintenance.setQuota(quotaOf(limits)))
    printLine(`Quota of ${nameOf(limits)} set`)
  })
  const remove = subject(quota.command('remove').description('take a quota away'))
  remove.action(async () => {
    const globals = remove.optsWithGlobals<KvGlobals>()
    const limits = remove.opts<Limits>()
    await withKv(globals, ({ maintenance }) => maintenance.removeQuota(subjectOf(limits)))
    printLine(`Quota of ${nameOf(limits)} removed`)
  })
}

function subject(command: Command): Command {
  return command
    .option('--prefix <prefix>', "of all keys that begin so; '' for all")
    .option('--for-user <name>', 'of what a user writes')
}

function quotaOf(limits: Limits): KvQuota {
  const { maxKeys = 0, maxBytes = 0, maxWritesPerSecond = 0 } = limits
  return {
    ...subjectOf(limits),
    keysMax: maxKeys,
    sizeBytesMax: maxBytes,
    writesPerSecondMax: maxWritesPerSecond,
  }
}

function subjectOf({ prefix, forUser }: Limits): Pick<KvQuota, 'prefix' | 'user'> {
  if ((prefix === undefined) === (forUser === undefined)) {
    throw new Error('name either --prefix or --for-user')
  }
  return prefix === undefined ? { user: forUser ?? '' } : { prefix }
}

function nameOf({ prefix, forUser }: Limits): string {
  return prefix === undefined
    ? `user ${JSON.stringify(forUser)}`
    : `prefix ${JSON.stringify(prefix)}`
}

function printQuotas(quotas: readonly KvQuotaUse[], format: string): void {
  if (format === 'json') {
    printJson({ quotas: quotas.map(jsonOf) })
    return
  }
  const headings = ['OF', 'KEYS', 'BYTES', 'WRITES/S', 'REFUSED']
  const rows = quotas.map(cellsOf)
  if (format === 'table') printLine(textTable(headings, rows))
  else for (const row of rows) printLine(row.join(', '))
}

function cellsOf(quota: KvQuotaUse): string[] {
  const { keys, sizeBytes, keysMax, sizeBytesMax, writesPerSecondMax, isCounted, refused } = quota
  const text = Buffer.from(quota.prefix).toString()
  const name = nameOf(quota.user === '' ? { prefix: text } : { forUser: quota.user })
  const of = (used: string, max: number, show: (max: number) => string): string =>
    max === 0 ? '-' : `${used}${isCounted ? '' : '+'}/${show(max)}`
  return [
    name,
    of(String(keys), keysMax, String),
    of(sizeText(sizeBytes), sizeBytesMax, sizeText),
    writesPerSecondMax === 0 ? '-' : String(writesPerSecondMax),
    String(refused),
  ]
}

function jsonOf({ prefix, user, ...numbers }: KvQuotaUse): JsonObject {
  const name = user === '' ? { prefix: Buffer.from(prefix).toString('base64') } : { user }
  return { ...name, ...numbers }
}

function limit(text: string): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value > 0) return value
  throw new InvalidArgumentError('Want a whole number above 0.')
}

const units: Readonly<Record<string, number>> = { '': 0, KiB: 1, MiB: 2, GiB: 3 }

function size(text: string): number {
  const match = /^(\d+)(|KiB|MiB|GiB)$/.exec(text)
  const value = Number(match?.[1]) * 1024 ** (units[match?.[2] ?? ''] ?? 0)
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new InvalidArgumentError('Want a size such as 1000, 64KiB, 2MiB or 1GiB.')
}
