// The state machine that simulated members run if the user brings none: registers that hold numbers. Either it lives in memory (then the node
// writes its snapshots), or it keeps a durable copy of its own, which after a crash is as old as the last checkpoint or somewhat newer.
import { crc32 } from 'node:zlib'
import { assert } from '../core/assert.ts'
import type { LogIndex } from '../core/types.ts'
import type { CommittedEntry, StateMachine, StateSnapshot } from '../node/types.ts'
import type { SeededRandom } from './random.ts'
import type { MachineHome, MachineHost } from './workload.ts'

/** 0 stands for a register that was never written. */
export type RegisterRequest =
  | { readonly type: 'get'; readonly key: number }
  | { readonly type: 'put'; readonly key: number; readonly value: number }
  /** Writes `value` if the register holds `expected`. */
  | {
      readonly type: 'swap'
      readonly key: number
      readonly expected: number
      readonly value: number
    }

const wordSizeBytes = 4

export function encodeRegisterRequest(request: RegisterRequest): Uint8Array {
  const { key } = request
  if (request.type === 'get') return encodeWords([key])
  if (request.type === 'put') return encodeWords([key, request.value])
  return encodeWords([key, request.value, request.expected])
}

function encodeWords(words: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(words.length * wordSizeBytes)
  for (const [i, word] of words.entries()) bytes.writeUInt32LE(word, i * wordSizeBytes)
  return bytes
}

interface RegisterState {
  readonly index: LogIndex
  readonly values: readonly number[]
  /** Of every command there was, in order: two states with the same one have the same past. */
  readonly digest: number
}

const emptyState: RegisterState = { index: 0, values: [], digest: 0 }

export class RegisterMachine implements StateMachine<number> {
  #state: RegisterState
  readonly #home: RegisterHome
  readonly durable?: NonNullable<StateMachine<number>['durable']>

  constructor(home: RegisterHome, sync: (() => Promise<void>) | undefined) {
    this.#home = home
    this.#state = home.durable ?? emptyState
    if (sync === undefined) return
    const { index } = this.#state
    this.durable = { appliedIndex: index, checkpoint: () => this.#checkpoint(sync) }
  }

  value(key: number): number {
    return this.#state.values[key] ?? 0
  }

  /** Returns for every command the value that was there before. */
  apply(entry: CommittedEntry): readonly number[] {
    const values = [...this.#state.values]
    let { digest } = this.#state
    const before = entry.commands.map((command) => {
      digest = crc32(command, digest)
      return applyCommand(values, command)
    })
    this.#become({ index: entry.index, values, digest })
    return before
  }

  #become(state: RegisterState): void {
    this.#state = state
    if (this.durable !== undefined) this.#home.write(state)
  }

  membershipChanged(): void {}

  async #checkpoint(sync: () => Promise<void>): Promise<LogIndex> {
    const { index } = this.#state
    await sync()
    return this.#home.sync(index)
  }

  snapshot(): StateSnapshot {
    const state = this.#state
    const { ballastChunks } = this.#home
    return { index: state.index, chunks: () => chunksOf(state, ballastChunks), release: () => {} }
  }

  async restore(index: LogIndex, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const state = await readChunks(chunks)
    assert(state.index === index, 'a snapshot holds the state that it stands for')
    this.#become(state)
    await this.durable?.checkpoint()
  }
}

function applyCommand(values: number[], command: Uint8Array): number {
  const words = Buffer.from(command.buffer, command.byteOffset, command.byteLength)
  const key = words.readUInt32LE(0)
  const before = values[key] ?? 0
  const isSwap = words.length === 3 * wordSizeBytes
  if (isSwap && words.readUInt32LE(2 * wordSizeBytes) !== before) return before
  while (values.length < key) values.push(0)
  values[key] = words.readUInt32LE(wordSizeBytes)
  return before
}

/** The state, then ballast that only this state has: a snapshot whose chunks come from two states is noticed. */
async function* chunksOf(state: RegisterState, ballastChunks: number): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(Buffer.from(`${JSON.stringify(state)}\n`))
  for (let i = 0; i < ballastChunks; i++) yield Buffer.from(ballast(state, i))
}

function ballast({ index, digest }: RegisterState, chunk: number): string {
  return `${chunk} of ${index}/${digest}\n`.repeat(20)
}

async function readChunks(chunks: AsyncIterable<Uint8Array>): Promise<RegisterState> {
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  const text = Buffer.concat(parts).toString()
  const end = text.indexOf('\n')
  const state = JSON.parse(text.slice(0, end)) as RegisterState
  let rest = text.slice(end + 1)
  for (let i = 0; rest !== ''; i++) {
    const expected = ballast(state, i)
    assert(rest.startsWith(expected), 'all of a snapshot is of one state')
    rest = rest.slice(expected.length)
  }
  return state
}

export interface RegisterHomeOptions {
  readonly random: SeededRandom
  readonly isDurable: boolean
  /** Pieces of a snapshot beside the first. */
  readonly ballastChunks: number
}

/** Of one member: what a durable state machine finds again after a crash. */
export class RegisterHome implements MachineHome {
  readonly #options: RegisterHomeOptions
  #durable: RegisterState | undefined
  /** Written and not synced, oldest first: a crash keeps some of it, from the oldest on. */
  #written: RegisterState[] = []

  constructor(options: RegisterHomeOptions) {
    this.#options = options
  }

  get ballastChunks(): number {
    return this.#options.ballastChunks
  }

  get durable(): RegisterState | undefined {
    return this.#durable
  }

  open({ fileSystem }: MachineHost): RegisterMachine {
    // What is written is kept here; to make it durable takes the disk its time.
    const sync = (): Promise<void> => fileSystem.call('sync', () => {})
    return new RegisterMachine(this, this.#options.isDurable ? sync : undefined)
  }

  write(state: RegisterState): void {
    this.#written.push(state)
  }

  /** Returns the index that is durable then. */
  sync(index: LogIndex): LogIndex {
    const synced = this.#written.findLast((state) => state.index <= index)
    if (synced !== undefined) {
      this.#durable = synced
      this.#written = this.#written.filter((state) => state.index > synced.index)
    }
    return this.#durable?.index ?? 0
  }

  kill(): void {
    this.#durable = this.#written.at(-1) ?? this.#durable
    this.#written = []
  }

  crash(): void {
    const kept = this.#written[this.#options.random.integer(-1, this.#written.length - 1)]
    this.#durable = kept ?? this.#durable
    this.#written = []
  }
}
