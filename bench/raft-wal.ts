// How fast the log of one member is by itself: entries a second with 1,000 appenders that each wait for their own, and what one appender
// waits beside a bare write + fdatasync of the same size on a preallocated file, in turns in the same run.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { nodeClock, nodeFileSystem, type File, type NodeId } from '@balsa/raft'
import { Wal } from '../packages/raft/src/wal/wal.ts'

const entrySizeBytes = 256
const appenders = 1_000
const durationMs = 2_000
const warmUps = 500
const samples = 3_000
const preallocatedBytes = 8 * 1024 * 1024

interface OpenWal {
  readonly wal: Wal
  /** Called with every sequence that became durable. */
  onDurable: (sequence: number) => void
}

export async function raftWal(): Promise<void> {
  console.log(`raft-wal: the log of one member alone, entries of ${entrySizeBytes} B`)
  const directory = mkdtempSync(join(tmpdir(), 'balsa-raft-wal-'))
  try {
    const perSecond = await appendConcurrently(join(directory, 'many'))
    console.log(
      `  ${appenders} appenders: ${Math.round(perSecond).toLocaleString('en')} durable appends/s`,
    )
    const { appends, bare } = await appendInTurns(join(directory, 'one'))
    const ratio = percentile(appends, 0.5) / percentile(bare, 0.5)
    console.log(`  one appender: p50 ${text(appends, 0.5)}, p99 ${text(appends, 0.99)}`)
    console.log(`  bare write + fdatasync: p50 ${text(bare, 0.5)}, p99 ${text(bare, 0.99)}`)
    console.log(`  an append takes ${ratio.toFixed(2)} bare syncs`)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function openWal(directory: string): Promise<OpenWal> {
  mkdirSync(join(directory, 'wal'), { recursive: true })
  const nodeId = 'a' as NodeId
  let failure: Error | undefined
  const listener = {
    durable(sequence: number): void {
      if (failure !== undefined) throw failure
      opened.onDurable(sequence)
    },
    synced(): void {},
    failed(error: Error): void {
      failure = error
      throw error
    },
  }
  const { wal } = await Wal.open({
    fileSystem: nodeFileSystem,
    clock: nodeClock,
    directory: join(directory, 'wal'),
    metadataPath: join(directory, 'meta'),
    clusterId: 'bench',
    nodeId,
    initialMembership: { voters: [nodeId], votersOutgoing: [], learners: [] },
    listener,
  })
  const opened: OpenWal = { wal, onDurable: () => undefined }
  return opened
}

const data = Buffer.alloc(entrySizeBytes, 'x')

function append(wal: Wal, sequence: number): void {
  const entries = [{ index: sequence, term: 1, type: 0, data } as const]
  wal.append(sequence, { snapshot: undefined, entries, hardState: undefined, mustSync: true })
}

/** Each appender appends again as soon as its entry is durable. */
async function appendConcurrently(directory: string): Promise<number> {
  const opened = await openWal(directory)
  const { wal } = opened
  let last = 0
  let durable = 0
  let isRunning = true
  opened.onDurable = (sequence) => {
    const count = sequence - durable
    durable = sequence
    if (!isRunning) return
    for (let i = 0; i < count; i++) append(wal, ++last)
    // As a member does: applied entries are released now and then.
    if (sequence % 100_000 < count) wal.compact(sequence)
  }
  for (let i = 0; i < appenders; i++) append(wal, ++last)
  const warm = performance.now() + durationMs / 2
  while (performance.now() < warm) await nextTurn()
  const startedAt = performance.now()
  const before = durable
  while (performance.now() - startedAt < durationMs) await nextTurn()
  const perSecond = ((durable - before) * 1000) / (performance.now() - startedAt)
  isRunning = false
  await wal.close()
  return perSecond
}

interface Latencies {
  readonly appends: readonly number[]
  readonly bare: readonly number[]
}

async function appendInTurns(directory: string): Promise<Latencies> {
  const opened = await openWal(directory)
  const bareFile = await preallocate(join(directory, 'bare'))
  const appends: number[] = []
  const bare: number[] = []
  let last = 0
  let position = 0
  for (let i = -warmUps; i < samples; i++) {
    const bareMs = await timed(() => bareWrite(bareFile, position))
    position += recordSizeBytes
    const appendMs = await timed(() => appendOne(opened, ++last))
    if (i < 0) continue
    bare.push(bareMs)
    appends.push(appendMs)
  }
  await bareFile.close()
  await opened.wal.close()
  return { appends, bare }
}

/** As in the log: the header of a record, of a batch and of an entry, and the payload. */
const recordSizeBytes = Math.ceil((16 + 13 + 13 + entrySizeBytes) / 16) * 16
const record = Buffer.alloc(recordSizeBytes, 'x')

async function preallocate(path: string): Promise<File> {
  const file = await nodeFileSystem.open(path, 'create')
  await file.write([Buffer.alloc(preallocatedBytes)], 0)
  await file.sync()
  return file
}

async function bareWrite(file: File, position: number): Promise<void> {
  await file.write([record], position)
  await file.sync()
}

function appendOne(opened: OpenWal, sequence: number): Promise<void> {
  return new Promise((resolve) => {
    opened.onDurable = () => {
      resolve()
    }
    append(opened.wal, sequence)
  })
}

async function timed(action: () => Promise<void>): Promise<number> {
  const startedAt = performance.now()
  await action()
  return performance.now() - startedAt
}

function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length * part)] ?? 0
}

function text(values: readonly number[], part: number): string {
  return `${(percentile(values, part) * 1000).toFixed(0)} µs`
}
