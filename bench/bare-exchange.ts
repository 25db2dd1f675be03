// The exchange that one put cannot do without: a message to two processes, a write + fdatasync in all three, one answer back. Plain sockets, no
// Raft: what is left of a put's time above it is ours.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { BareFile } from './bare-file.ts'

const messageSizeBytes = 330
const followers = 2

export class BareExchange {
  readonly #file: BareFile
  readonly #followers: readonly ChildProcess[]
  readonly #sockets: readonly Socket[]
  /** Each follower answers a message with one byte. */
  readonly #answered: number[]
  #sent = 0
  #onAnswer: () => void = () => undefined

  private constructor(
    file: BareFile,
    processes: readonly ChildProcess[],
    sockets: readonly Socket[],
  ) {
    this.#file = file
    this.#followers = processes
    this.#sockets = sockets
    this.#answered = sockets.map(() => 0)
    for (const [i, socket] of sockets.entries()) {
      socket.on('data', (bytes) => {
        this.#answered[i] = (this.#answered[i] ?? 0) + bytes.length
        if (this.#answered[i] === this.#sent) this.#onAnswer()
      })
    }
  }

  static async open(folder: string): Promise<BareExchange> {
    const processes: ChildProcess[] = []
    const sockets: Socket[] = []
    for (let i = 0; i < followers; i++) {
      const follower = fork(
        join(import.meta.dirname, 'bare-follower.mjs'),
        [join(folder, `bare-${i}`)],
        { execArgv: ['--conditions=source'] },
      )
      processes.push(follower)
      const [port] = (await once(follower, 'message')) as [number]
      const socket = connect(port, '127.0.0.1').setNoDelay(true)
      await once(socket, 'connect')
      sockets.push(socket)
    }
    return new BareExchange(new BareFile(join(folder, 'bare-leader')), processes, sockets)
  }

  /** Milliseconds until a message is durable here and with one of the others. */
  async run(): Promise<number> {
    const message = Buffer.alloc(messageSizeBytes, 'x')
    const startedAt = performance.now()
    this.#sent++
    const answered = new Promise<void>((resolve) => {
      this.#onAnswer = resolve
    })
    for (const socket of this.#sockets) socket.write(message)
    await Promise.all([answered, this.#file.append()])
    return performance.now() - startedAt
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
    for (const follower of this.#followers) follower.kill('SIGKILL')
  }
}
