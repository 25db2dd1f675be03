// npm run hunt -- [--setting members|etcd|own,...] [--seed S] [--seeds N] [--deed-ms MS] [--blow-ms MS] [--verbose]: whole clusters whose processes are killed and
// paused at random. Prints what each seed found; exit code 1 if anything was.
import { parseArgs } from 'node:util'
import { missing } from '../tools.ts'
import { settings, type Setting } from './cast.ts'
import { hunt } from './hunt.ts'

const sizes = { nodes: 8, replicas: 40, members: 4, completions: 24 }

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      setting: { type: 'string', default: settings.join() },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      seeds: { type: 'string', default: '1' },
      'deed-ms': { type: 'string', default: '3000' },
      'blow-ms': { type: 'string', default: '4000' },
      'settle-ms': { type: 'string', default: '180000' },
      verbose: { type: 'boolean', default: false },
    },
  })
  const chosen = settings.filter((setting) => values.setting.split(',').includes(setting))
  if (chosen.includes('etcd') && missing('etcd')) return 1
  let failures = 0
  for (let seed = Number(values.seed); seed < Number(values.seed) + Number(values.seeds); seed++)
    for (const setting of chosen) failures += (await report(setting, seed, values)) ? 0 : 1
  return failures === 0 ? 0 : 1
}

async function report(
  setting: Setting,
  seed: number,
  flags: { 'deed-ms': string; 'blow-ms': string; 'settle-ms': string; verbose: boolean },
): Promise<boolean> {
  const startedAt = performance.now()
  const seconds = (): string => ((performance.now() - startedAt) / 1000).toFixed(1)
  const found = await hunt({
    setting,
    seed,
    sizes,
    deedMs: Number(flags['deed-ms']),
    blowMs: Number(flags['blow-ms']),
    settleMs: Number(flags['settle-ms']),
    quietMs: 10_000,
    onProgress: (line) => void (flags.verbose && say(`${seconds().padStart(6)} ${line}`)),
  })
  say(`${setting} seed ${seed}: ${found.length === 0 ? 'nothing found' : 'FOUND'}, ${seconds()} s`)
  for (const line of found) say(`  ${line}`)
  return found.length === 0
}

process.exitCode = await main()
