// Takes samples of what a node's containers use, when somebody asks. A rate is what was used since a sample of some seconds ago, so that two
// who ask at the same time do not spoil each other's.
import { platform, uptime } from 'node:os'
import type { NodeStats, PodStats } from '../../apiserver/node-connections.ts'
import { processTrees } from './process-trees.ts'
import { readMachine, readProcesses, type ProcessTimes } from './process-times.ts'

/** A container that runs now. */
export interface SampledRun {
  readonly container: string
  /** Of its topmost process. */
  readonly pid: number
  readonly startedAtMs: number
}
export interface SampledPod {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly startedAtMs: number
  readonly runs: readonly SampledRun[]
}

interface Sample {
  readonly atMs: number
  /** Processor time by pid of a run; 0 is the whole machine. */
  readonly cpuNanoseconds: ReadonlyMap<number, number>
}

/** Who asks again within this time gets the same sample. */
const freshMs = 1000
/** What a rate should be taken over. */
const windowMs = 10_000
const samplesMax = 32
const machine = 0

export class NodeSampler {
  readonly #pods: () => readonly SampledPod[]
  readonly #now: () => number
  readonly #startedAtMs: number
  #samples: Sample[] = []
  #last: { readonly atMs: number; readonly stats: Promise<NodeStats> } | undefined

  constructor(pods: () => readonly SampledPod[], now: () => number = Date.now) {
    this.#pods = pods
    this.#now = now
    this.#startedAtMs = now()
  }

  /** Rejects where the system does not tell. */
  stats(): Promise<NodeStats> {
    const atMs = this.#now()
    if (this.#last === undefined || atMs - this.#last.atMs >= freshMs) {
      this.#last = { atMs, stats: this.#sample(atMs) }
    }
    return this.#last.stats
  }

  async #sample(atMs: number): Promise<NodeStats> {
    if (platform() !== 'linux') throw new Error('this system does not tell what processes use')
    const [processes, whole] = await Promise.all([readProcesses(), readMachine()])
    const pods = this.#pods()
    const trees = treesOf(
      processes,
      new Set(pods.flatMap(({ runs }) => runs.map(({ pid }) => pid))),
    )
    const base = this.#base(atMs)
    const rate = (pid: number, used: number, sinceMs: number): number => {
      const before = base?.cpuNanoseconds.get(pid)
      const fromMs = before === undefined || base === undefined ? sinceMs : base.atMs
      const seconds = Math.max(atMs - fromMs, 1) / 1000
      return Math.max(0, (used - (before ?? 0)) / seconds)
    }
    const cpuNanoseconds = new Map([[machine, whole.cpuNanoseconds]])
    const podStats = pods.map((pod): PodStats => {
      const containers = pod.runs.map(({ container, pid, startedAtMs }) => {
        const used = trees.get(pid) ?? { cpuNanoseconds: 0, memoryBytes: 0 }
        cpuNanoseconds.set(pid, used.cpuNanoseconds)
        const cpuNanocores = rate(pid, used.cpuNanoseconds, startedAtMs)
        return { name: container, ...used, cpuNanocores }
      })
      const { namespace, name, uid, startedAtMs } = pod
      return { namespace, name, uid, startedAtMs, containers }
    })
    this.#samples = [...this.#samples.slice(1 - samplesMax), { atMs, cpuNanoseconds }]
    return {
      sampledAtMs: atMs,
      windowMs: base === undefined ? windowMs : atMs - base.atMs,
      startedAtMs: this.#startedAtMs,
      ...whole,
      cpuNanocores: rate(machine, whole.cpuNanoseconds, atMs - uptime() * 1000),
      pods: podStats,
    }
  }

  /** The newest sample that is old enough, or else the oldest. */
  #base(atMs: number): Sample | undefined {
    return this.#samples.findLast((sample) => atMs - sample.atMs >= windowMs) ?? this.#samples[0]
  }
}

/** What the processes below each root use together. */
const treesOf = (
  processes: ReadonlyMap<number, ProcessTimes>,
  roots: ReadonlySet<number>,
): Map<number, { cpuNanoseconds: number; memoryBytes: number }> => {
  const sums = new Map<number, { cpuNanoseconds: number; memoryBytes: number }>()
  for (const [root, pids] of processTrees(processes, roots)) {
    const sum = { cpuNanoseconds: 0, memoryBytes: 0 }
    for (const pid of pids) {
      const used = processes.get(pid)
      sum.cpuNanoseconds += used?.cpuNanoseconds ?? 0
      sum.memoryBytes += used?.memoryBytes ?? 0
    }
    sums.set(root, sum)
  }
  return sums
}
