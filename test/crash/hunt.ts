// One hunt: a cluster works through its deeds while its processes are killed and paused at random; told is whatever was broken on the way,
// is not as declared in the end, or does not come to rest.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from '@balsa/kv/client'
import { SeededRandom } from '@balsa/raft/simulation'
import { startApiServer } from '../../packages/orchestrator/src/apiserver/api-server.ts'
import { KvStore } from '../../packages/orchestrator/src/apiserver/kv-store.ts'
import { defaultStages } from '../../packages/orchestrator/src/fake/pod-stages.ts'
import { startFakeNodes } from '../../packages/orchestrator/src/fake/fake-nodes.ts'
import { waitFor } from '../balsa-process.ts'
import { castOf, type Cast, type Setting } from './cast.ts'
import { ClusterInvariants } from '../../packages/orchestrator/src/loop/testing/cluster-invariants.ts'
import type { Program } from './program.ts'
import { RegistryHistory } from './registry-history.ts'
import { deedsOf, isBackground, lastDeeds, tryDeed, unfinished, type Sizes } from './workload.ts'

export interface HuntOptions {
  readonly setting: Setting
  readonly seed: number
  readonly sizes: Sizes
  /** Between two deeds. */
  readonly deedMs: number
  /** Between two blows, up to twice as long. */
  readonly blowMs: number
  readonly settleMs: number
  /** So long nothing must be written when all is done. */
  readonly quietMs: number
  readonly onProgress: (line: string) => void
}

/** Pods take a moment to be ready, and to go. */
const stages = defaultStages.map((stage) => ({ ...stage, delayMs: 100, jitterMs: 400 }))
const capacity = { cpu: '10', memory: '64Gi', pods: '110' }
const storeReadyMs = 60_000
const deedRetryMs = 300
const pauseMsMax = 25_000

const sleep = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms))

/** Resolves to what was found; empty: nothing. */
export async function hunt(options: HuntOptions): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'balsa-hunt-'))
  const cast = await castOf(options.setting, folder)
  try {
    for (const program of cast.programs) program.start()
    return await onStage(options, cast, folder)
  } finally {
    for (const program of cast.programs) {
      program.resume()
      await program.kill()
    }
    await rm(folder, { recursive: true, force: true })
  }
}

async function onStage(options: HuntOptions, cast: Cast, folder: string): Promise<string[]> {
  const { sizes, onProgress } = options
  const kv = await connect({
    endpoints: [...cast.endpoints],
    protocol: 'grpc',
    connectTimeoutMs: storeReadyMs,
  })
  await waitFor('the store', async () => (await kv.get('health')) === undefined, storeReadyMs)
  const invariants = new ClusterInvariants()
  const history = new RegistryHistory(kv, (change) => invariants.take(change))
  const store = new KvStore(kv)
  const errors = new Map<string, number>()
  const onError = (reason: unknown): void => {
    const text = reason instanceof Error ? reason.message : String(reason)
    errors.set(text, (errors.get(text) ?? 0) + 1)
  }
  const server = await startApiServer({
    store,
    dataDir: join(folder, 'observer'),
    url: 'https://127.0.0.1:0',
    onError,
  })
  const { client } = server
  const nodes = await startFakeNodes({ client, count: sizes.nodes, capacity, stages, onError })
  try {
    const blows = new Blows(cast.programs, options)
    const beating = blows.start()
    for (const deed of deedsOf(sizes)) {
      await untilDone(() => tryDeed(client, deed), deed.name, onProgress)
      onProgress(deed.name)
      await sleep(options.deedMs)
    }
    blows.stop()
    await beating
    onProgress('nobody is killed any more')
    for (const deed of lastDeeds)
      await untilDone(() => tryDeed(client, deed), deed.name, onProgress)
    const found = await ending(options, history)
    return [
      ...invariants.broken,
      ...(history.ended === undefined ? [] : [`the watch ended: ${history.ended}`]),
      ...cast.programs.flatMap(({ deaths }) => deaths),
      ...found,
      ...(found.length === 0 ? [] : [...errors].map(([text, count]) => `${count} x ${text}`)),
      ...cast.programs.flatMap(({ name, errors: said }) =>
        /assert|TypeError|RangeError|unhandled/i.test(said) ? [`${name} said: ${said}`] : [],
      ),
    ]
  } finally {
    await nodes.close()
    await server.close()
    history.close()
    await store.close()
    await kv.close()
  }
}

async function untilDone(
  act: () => Promise<string | undefined>,
  what: string,
  onProgress: (line: string) => void,
): Promise<void> {
  const deadline = performance.now() + 3 * storeReadyMs
  for (;;) {
    const problem = await act()
    if (problem === undefined) return
    if (performance.now() > deadline) throw new Error(`${what}: ${problem}`)
    onProgress(`    ${what}: ${problem}`)
    await sleep(deedRetryMs)
  }
}

/** As declared within the time, and then at rest. */
async function ending(options: HuntOptions, history: RegistryHistory): Promise<string[]> {
  const { settleMs, quietMs, sizes, onProgress } = options
  const deadline = performance.now() + settleMs
  let wrong = unfinished(history, sizes)
  while (wrong.length > 0 && performance.now() < deadline) {
    await sleep(100)
    wrong = unfinished(history, sizes)
  }
  if (wrong.length > 0) return wrong
  onProgress('as declared')
  let written: string[] = []
  // What was begun may still end: a last look at statuses, an endpoint that goes.
  while (performance.now() < deadline) {
    history.forgetWrites()
    await sleep(quietMs)
    written = history.writes.filter((key) => !isBackground(key))
    if (written.length === 0) break
    onProgress(`not at rest: ${[...new Set(written)].slice(0, 5).join(' ')}`)
  }
  const flapping = [...new Set(written)].map((key) => `not at rest: ${key}`)
  return [...flapping, ...unfinished(history, sizes)]
}

/** Kills, pauses and starts again, as the seed says. */
class Blows {
  readonly #programs: readonly Program[]
  readonly #options: HuntOptions
  readonly #random: SeededRandom
  #isOver = false

  constructor(programs: readonly Program[], options: HuntOptions) {
    this.#programs = programs
    this.#options = options
    this.#random = new SeededRandom(options.seed)
  }

  stop(): void {
    this.#isOver = true
  }

  async start(): Promise<void> {
    const { blowMs } = this.#options
    const recoveries: Promise<void>[] = []
    while (!this.#isOver) {
      await sleep(this.#random.next() * 2 * blowMs)
      const free = this.#programs.filter(({ isRunning }) => isRunning)
      const program = free[Math.floor(this.#random.next() * free.length)]
      if (program !== undefined) recoveries.push(this.#strike(program))
    }
    await Promise.all(recoveries)
  }

  async #strike(program: Program): Promise<void> {
    const { onProgress, blowMs } = this.#options
    const [kind, time] = [this.#random.next(), this.#random.next()]
    if (kind < 0.15) {
      const ms = Math.round(time * time * pauseMsMax)
      onProgress(`  pause ${program.name} for ${ms} ms`)
      program.pause()
      await this.#sleep(ms)
      program.resume()
      return
    }
    const awayMs = kind < 0.5 ? 0 : Math.round(time * 2 * blowMs)
    onProgress(`  kill ${program.name} for ${awayMs} ms`)
    await program.kill()
    await this.#sleep(awayMs)
    program.start()
  }

  /** Not longer than the hunt. */
  async #sleep(ms: number): Promise<void> {
    const deadline = performance.now() + ms
    while (performance.now() < deadline && !this.#isOver) await sleep(Math.min(100, ms))
  }
}
