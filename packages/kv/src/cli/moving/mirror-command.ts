// mirror, and make-mirror as etcdctl calls it: a live copy in another cluster.
import type { Command } from 'commander'
import { connect, type ConnectOptions } from '../../client/connect.ts'
import { KvError } from '../../errors.ts'
import { readCheckpoint, writeCheckpoint } from '../../moving/mirror-checkpoint.ts'
import { mirror, type MirrorProgress } from '../../moving/mirror.ts'
import { connectOptionsOf, wholeNumber, withKv } from '../kv/kv-options.ts'
import type { KvGlobals } from '../kv/kv-options.ts'
import { printLine } from '../kv/kv-output.ts'
import { ProgressBar } from './progress-bar.ts'
import { untilInterrupted } from './until-interrupted.ts'

type Mirror = KvGlobals & {
  readonly prefix: string
  readonly destPrefix: string
  /** False: --no-dest-prefix. */
  readonly rev: number
  readonly checkpoint?: string
  readonly exact?: boolean
  readonly destCacert?: string
  readonly destCert?: string
  readonly destKey?: string
  readonly destUser?: string
  readonly destPassword?: string
}

/** etcdctl's: how often the count is printed. */
const printIntervalMs = 30_000

export function registerMirrorCommand(kv: Command): void {
  kv.command('mirror')
    .alias('make-mirror')
    .description('keep a copy of all keys, or of a prefix, in another cluster of etcd or Balsa')
    .argument('<destination>', 'endpoints of the other cluster, with commas between them')
    .option('--prefix <prefix>', 'what is mirrored', '')
    .option('--dest-prefix <prefix>', 'what takes the place of --prefix there', '')
    .option('--no-dest-prefix', 'mirror to the root: --prefix is left out there')
    .option('--rev <revision>', 'mirror only what came at or after this revision', wholeNumber, 0)
    .option('--checkpoint <file>', 'remember how far the mirror is, and go on from there')
    .option('--exact', 'remove keys there that are not here, when all of them are compared')
    .option('--dest-insecure-transport', 'as etcdctl has it: the scheme of the endpoints decides')
    .option('--dest-cacert <file>', 'authority of the other cluster')
    .option('--dest-cert <file>', 'certificate to show there')
    .option('--dest-key <file>', 'its key')
    .option('--dest-user <name[:password]>', 'who you are there')
    .option('--dest-password <text>', 'it, if it is not part of --dest-user')
    .action((destination: string, _own: object, command: Command) => {
      const options = command.optsWithGlobals<Mirror>()
      return withKv(options, async (source) => {
        await using target = await connect(destinationOf(destination, options))
        await untilInterrupted((signal) => run(source, target, options, signal))
      })
    })
}

function destinationOf(endpoints: string, options: Mirror): ConnectOptions {
  const {
    user: _user,
    password: _password,
    cacert: _ca,
    cert: _cert,
    key: _key,
    ...shared
  } = options
  const { destUser, destPassword, destCacert, destCert, destKey } = options
  const there = {
    ...shared,
    endpoints,
    ...(destUser === undefined ? {} : { user: destUser }),
    ...(destPassword === undefined ? {} : { password: destPassword }),
    ...(destCacert === undefined ? {} : { cacert: destCacert }),
    ...(destCert === undefined ? {} : { cert: destCert }),
    ...(destKey === undefined ? {} : { key: destKey }),
  }
  return connectOptionsOf(there)
}

type Store = Parameters<typeof mirror>[0]['source']

async function run(
  source: Store,
  destination: Store,
  options: Mirror,
  signal: AbortSignal,
): Promise<void> {
  const { prefix, checkpoint } = options
  const destinationPrefix = destinationPrefixOf(options)
  const place = { prefix, destinationPrefix }
  const known = checkpoint === undefined ? undefined : await readCheckpoint(checkpoint, place)
  const after = known ?? (options.rev > 0 ? options.rev - 1 : undefined)
  await mustNotBeBehind(source, after)
  using progress = new ProgressBar('mirroring')
  let latest: MirrorProgress | undefined
  let saved = known
  const save = async (): Promise<void> => {
    if (checkpoint === undefined || latest?.isCopied !== true || latest.revision === saved) return
    saved = latest.revision
    await writeCheckpoint(checkpoint, { ...place, revision: latest.revision })
  }
  const printing = setInterval(() => printLine(String(latest?.written ?? 0)), printIntervalMs)
  try {
    await mirror({
      source,
      destination,
      prefix,
      destinationPrefix,
      ...(after === undefined ? {} : { after }),
      exact: options.exact ?? false,
      signal,
      onTrouble: ({ message }) => process.stderr.write(`balsa: ${message}; trying again\n`),
      onApplied: async (now) => {
        latest = now
        progress.show(now.written, undefined, `${now.written} keys, revision ${now.revision}`)
        await save()
      },
    })
  } catch (reason) {
    if (!(reason instanceof KvError) || reason.code !== 'COMPACTED') throw reason
    const message = `the source has compacted what came after revision ${saved ?? after ?? 0}; run again with --exact to compare everything anew`
    throw new KvError('COMPACTED', { message, cause: reason })
  } finally {
    clearInterval(printing)
  }
}

function destinationPrefixOf({ prefix, destPrefix }: Mirror): string {
  // commander's way to say --no-dest-prefix.
  const given: unknown = destPrefix
  if (given === false) return ''
  return destPrefix === '' ? prefix : destPrefix
}

async function mustNotBeBehind(source: Store, after: number | undefined): Promise<void> {
  if (after === undefined) return
  const { revision } = await source.status()
  if (revision >= after) return
  throw new Error(
    `the source is at revision ${revision}, the mirror at ${after}: it is another cluster, or one that went back in time; begin with a new --checkpoint`,
  )
}
