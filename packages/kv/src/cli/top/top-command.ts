// top: members, latency, watchers, leases and keys as they are now, again and again until it is interrupted; once for scripts.
import type { Command } from 'commander'
import { delay } from '../../client/back-off.ts'
import { durationMs, endpointsOf, withKv, type KvGlobals } from '../kv/kv-options.ts'
import { printJson, printLine, type JsonObject } from '../kv/kv-output.ts'
import { tlsOf } from '../kv/tls-options.ts'
import { untilInterrupted } from '../moving/until-interrupted.ts'
import { takeSample, type Sample } from './sample.ts'
import { topLines } from './top-view.ts'

interface Top extends KvGlobals {
  readonly once?: boolean
  readonly interval: number
  readonly prefix: string
}

/** To the upper left corner, and nothing below. */
const clearScreen = '\x1b[H\x1b[J'
/** Of the first frame: between two looks there is something to count. */
const firstPauseMs = 500

export function registerTopCommand(kv: Command): void {
  const top = kv.command('top').description('members, latency, watchers, leases and keys, live')
  top
    .option('--once', 'print it once')
    .option('--interval <duration>', 'between two looks', durationMs, 2000)
    .option('--prefix <prefix>', 'count the keys below it', '')
    .action(async () => {
      const options = top.optsWithGlobals<Top>()
      await withKv(options, (client) =>
        untilInterrupted(async (signal) => {
          const { prefix } = options
          const wanted = { endpoints: endpointsOf(options), tls: tlsOf(options), prefix }
          let before: Sample | undefined
          for (let frame = 0; !signal.aborted; frame++) {
            const now = await takeSample(client, wanted)
            if (frame > 0) show(now, before, options)
            if (frame > 0 && options.once === true) return
            before = now
            await delay(frame === 0 ? firstPauseMs : options.interval, signal)
          }
        }),
      )
    })
}

function show(now: Sample, before: Sample | undefined, { writeOut, once }: Top): void {
  if (writeOut === 'json') {
    printJson(jsonOf(now))
    return
  }
  const text = topLines(now, before).join('\n')
  const isLive = process.stdout.isTTY && once !== true
  printLine(isLive ? clearScreen + text : text)
  if (!isLive && once !== true) printLine('')
}

function jsonOf({ members, readLatencyMs, leases, keys, groups }: Sample): JsonObject {
  return {
    members: members.map(({ endpoint, status, name, isLearner, latencyMs, metrics, problem }) => ({
      endpoint,
      name,
      isLearner,
      latencyMs,
      problem,
      ...metrics,
      ...(status === undefined ? {} : { ...status }),
    })),
    readLatencyMs,
    leases,
    keys,
    prefixes: groups.map(({ name, keys: count }) => ({ prefix: name, keys: count })),
  }
}
