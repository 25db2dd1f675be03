// check perf and datascale: whether a cluster is fast enough for a load, and what memory so much data takes. Loads, bounds and lines
// are etcdctl's.
import { InvalidArgumentError, type Command } from 'commander'
import { parseEndpoint } from '../../client/endpoint.ts'
import type { Kv } from '../../kv.ts'
import { ProgressBar } from '../moving/progress-bar.ts'
import { scrape, sumMetrics } from '../top/metrics-text.ts'
import { durationMs, endpointsOf, withKv, type KvGlobals } from './kv-options.ts'
import { printLine } from './kv-output.ts'
import { measureLoad } from './measured-load.ts'
import { tlsOf } from './tls-options.ts'

interface Check extends KvGlobals {
  readonly load: LoadName
  readonly prefix: string
  readonly autoCompact?: boolean
  readonly autoDefrag?: boolean
}
interface Perf extends Check {
  readonly duration: number
}

const perfLoads = {
  s: { clients: 50, putsPerSecond: 150 },
  m: { clients: 200, putsPerSecond: 1000 },
  l: { clients: 500, putsPerSecond: 8000 },
  xl: { clients: 1000, putsPerSecond: 15_000 },
} as const
const scaleLoads = {
  s: { clients: 50, puts: 10_000 },
  m: { clients: 200, puts: 100_000 },
  l: { clients: 500, puts: 1_000_000 },
  xl: { clients: 1000, puts: 3_000_000 },
} as const
type LoadName = keyof typeof perfLoads
const loadNames: Readonly<Record<string, LoadName>> = {
  s: 's',
  small: 's',
  m: 'm',
  medium: 'm',
  l: 'l',
  large: 'l',
  xl: 'xl',
  xLarge: 'xl',
}
const perfSizes = { keySizeBytes: 256, valueSizeBytes: 1024 }
const scaleSizes = { keySizeBytes: 512, valueSizeBytes: 1024 }
/** What passes: this share of the load, and no put slower. */
const throughputShareMin = 0.9
const slowestSecondsMax = 0.5
const stddevSecondsMax = 0.1
const memoryMetric = 'process_resident_memory_bytes'

export function registerCheckCommands(kv: Command): void {
  const check = kv.command('check').description('whether a cluster can bear a load')
  const perf = checkFlags(check.command('perf'), '/etcdctl-check-perf/')
    .description('whether puts go through fast enough')
    .option('--duration <duration>', 'how long', durationMs, 60_000)
  perf.action(() => checkPerf(perf.optsWithGlobals<Perf>()))
  const scale = checkFlags(check.command('datascale'), '/etcdctl-check-datascale/').description(
    'what memory the data of a load takes at the first of the endpoints',
  )
  scale.action(() => checkScale(scale.optsWithGlobals<Check>()))
}

function checkFlags(command: Command, prefix: string): Command {
  return command
    .option('--load <load>', 's(mall), m(edium), l(arge) or xl (xLarge)', loadName, 's')
    .option('--prefix <prefix>', 'of the keys that are put; it must be empty', prefix)
    .option('--auto-compact', 'compact to the last revision afterwards')
    .option('--auto-defrag', 'defragment afterwards')
}

async function checkPerf(options: Perf): Promise<void> {
  const load = perfLoads[options.load]
  const puts = Math.ceil((load.putsPerSecond * options.duration) / 1000)
  await withKv(options, async (kv) => {
    const measured = await loaded(kv, options, () => {
      using progress = new ProgressBar('check perf')
      const shape = { ...load, ...perfSizes, puts, prefix: options.prefix }
      return measureLoad(kv, shape, (done) => progress.show(done, puts, `${done} puts`))
    })
    const { putsPerSecond, slowestSeconds, stddevSeconds } = measured
    const throughput = Math.floor(putsPerSecond) + 1
    const isFast = putsPerSecond >= load.putsPerSecond * throughputShareMin
    const isSlow = slowestSeconds > slowestSecondsMax
    const isUneven = stddevSeconds > stddevSecondsMax
    const slowest = `${slowestSeconds.toFixed(6)}s`
    const stddev = `${stddevSeconds.toFixed(6)}s`
    if (isFast) printLine(`PASS: Throughput is ${throughput} writes/s`)
    else printLine(`FAIL: Throughput too low: ${throughput} writes/s`)
    if (isSlow) printLine(`Slowest request took too long: ${slowest}`)
    else printLine(`PASS: Slowest request took ${slowest}`)
    if (isUneven) printLine(`Stddev too high: ${stddev}`)
    else printLine(`PASS: Stddev is ${stddev}`)
    if (!isFast || isSlow || isUneven) throw new Error('FAIL')
    printLine('PASS')
  })
}

async function checkScale(options: Check): Promise<void> {
  const load = scaleLoads[options.load]
  const [endpoint = ''] = endpointsOf(options)
  await withKv({ ...options, endpoints: endpoint }, async (kv) => {
    const before = await memoryOf(endpoint, options)
    const { valueSizeBytes } = scaleSizes
    printLine(
      `Start data scale check for work load [${load.puts} key-value pairs, ${valueSizeBytes} bytes per key-value, ${load.clients} concurrent clients].`,
    )
    const after = await loaded(kv, options, async () => {
      using progress = new ProgressBar('check datascale')
      const shape = { ...load, ...scaleSizes, prefix: options.prefix }
      await measureLoad(kv, shape, (done) => progress.show(done, load.puts, `${done} puts`))
      return await memoryOf(endpoint, options)
    })
    const megabytes = (after - before) / 2 ** 20
    printLine(`PASS: Approximate system memory used : ${megabytes.toFixed(2)} MB.`)
  })
}

/** Runs a load on a prefix that has no keys, and takes them away afterwards, also if it fails. */
async function loaded<T>(kv: Kv, options: Check, run: () => Promise<T>): Promise<T> {
  const { prefix } = options
  const { count } = await kv.range({ prefix, limit: 1, countOnly: true })
  if (count > 0) {
    throw new Error(`prefix "${prefix}" has keys. Delete with etcdctl del --prefix ${prefix} first`)
  }
  try {
    return await run()
  } finally {
    const { revision } = await kv.delete(prefix, { prefix: true })
    if (options.autoCompact === true) {
      printLine(`Compacting with revision ${revision}`)
      await kv.compact(revision, { physical: true })
      printLine(`Compacted with revision ${revision}`)
    }
    if (options.autoDefrag === true) {
      for (const endpoint of endpointsOf(options)) {
        printLine(`Defragmenting "${endpoint}"`)
        await kv.maintenance.defragment({ endpoint })
        printLine(`Defragmented "${endpoint}"`)
      }
    }
  }
}

function loadName(text: string): LoadName {
  const name = loadNames[text]
  if (name === undefined) throw new InvalidArgumentError(`unknown load option ${text}`)
  return name
}

async function memoryOf(endpoint: string, options: KvGlobals): Promise<number> {
  const tls = tlsOf(options)
  const text = await scrape(parseEndpoint(endpoint, tls !== undefined), tls)
  const bytes = sumMetrics(text, new Set([memoryMetric])).get(memoryMetric)
  if (bytes === undefined) throw new Error(`${endpoint} does not tell ${memoryMetric}`)
  return bytes
}
