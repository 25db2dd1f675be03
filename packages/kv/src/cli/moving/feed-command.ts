// feed: every change from any revision on as a line of JSON, for programs that follow a store.
import type { Command } from 'commander'
import { keysOf } from '../../client/convert.ts'
import { follow } from '../../client/follow.ts'
import { KvError } from '../../errors.ts'
import type { Kv, KvEvent, KvPair } from '../../kv.ts'
import { isInRange, keyRange, type KeyRange } from '../../mvcc/key-range.ts'
import { keyText } from '../../mvcc/key-text.ts'
import { selection } from '../kv/key-flags.ts'
import { wholeNumber, withKv } from '../kv/kv-options.ts'
import type { KvGlobals } from '../kv/kv-options.ts'
import { hexId, printLine } from '../kv/kv-output.ts'
import { untilInterrupted } from './until-interrupted.ts'

type Feed = KvGlobals & {
  readonly prefix?: boolean
  readonly fromKey?: boolean
  readonly fromRevision?: number
  readonly toRevision?: number
  readonly prevKv?: boolean
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function registerFeedCommand(kv: Command): void {
  kv.command('feed')
    .description('print every change as a line of JSON; without <key>, of all keys')
    .argument('[key]')
    .argument('[range-end]')
    .option('--prefix', 'all keys that begin with <key>')
    .option('--from-key', 'all keys from <key> on')
    .option(
      '--from-revision <revision>',
      'begin with this revision; else with what comes',
      wholeNumber,
    )
    .option('--to-revision <revision>', 'end after this revision', wholeNumber)
    .option('--prev-kv', 'with what was there before')
    .action(
      (key: string | undefined, rangeEnd: string | undefined, _own: object, command: Command) => {
        const options = command.optsWithGlobals<Feed>()
        const keys = key === undefined ? { prefix: '' } : selection(key, rangeEnd, options)
        return withKv(options, (client) =>
          untilInterrupted((signal) => feed(client, keys, options, signal)),
        )
      },
    )
}

async function feed(
  kv: Kv,
  keys: ReturnType<typeof selection>,
  options: Feed,
  signal: AbortSignal,
): Promise<void> {
  const { fromRevision, toRevision = Infinity, prevKv = false } = options
  const start = fromRevision === undefined ? {} : { startRevision: Math.max(1, fromRevision) }
  try {
    // With an end all keys are watched, for only then something comes of every revision.
    const range = toRevision === Infinity ? undefined : rangeOf(keys)
    const watched = range === undefined ? keys : { prefix: '' }
    const watch = { ...watched, ...start, prevKv }
    for await (const { events, revision } of follow(kv, watch, signal)) {
      for (const event of events) {
        if (event.kv.modRevision > toRevision) return
        if (range !== undefined && !isInRange(range, keyText(event.kv.key))) continue
        printLine(JSON.stringify(lineOf(event)))
      }
      if (revision >= toRevision) return
    }
  } catch (reason) {
    if (!(reason instanceof KvError) || reason.code !== 'COMPACTED') throw reason
    const first = reason.compactRevision ?? 0
    const message = `history before revision ${first} is compacted; begin with --from-revision ${first}`
    throw new KvError('COMPACTED', { message, cause: reason })
  }
}

function rangeOf(keys: ReturnType<typeof selection>): KeyRange {
  const { key, rangeEnd } = keysOf(keys)
  return keyRange(key, rangeEnd)
}

function lineOf({ type, kv, prev }: KvEvent): object {
  const { modRevision: revision } = kv
  if (type === 'delete') {
    return { revision, type, ...named('key', kv.key), ...before(prev) }
  }
  return { revision, type, ...pairOf(kv), ...before(prev) }
}

function before(prev: KvPair | undefined): object {
  return prev === undefined ? {} : { prev: { revision: prev.modRevision, ...pairOf(prev) } }
}

function pairOf({ key, value, createRevision, version, lease }: KvPair): object {
  const held = lease === 0n ? {} : { lease: hexId(lease) }
  return { ...named('key', key), ...named('value', value), createRevision, version, ...held }
}

/** As text where the bytes are one, else as base64 under another name. */
function named(name: string, bytes: Uint8Array): object {
  try {
    return { [name]: utf8.decode(bytes) }
  } catch (reason) {
    if (!(reason instanceof TypeError)) throw reason
    return { [`${name}Base64`]: Buffer.from(bytes).toString('base64') }
  }
}
