// bcrypt, in a thread of its own: one check takes tens of milliseconds, which no request and no heartbeat may wait for. A password that was
// just found right is not worked out again for every token.
import { createHmac, randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import { KvError } from '../../errors.ts'
import type { Done } from '../types.ts'

/** What the Auth service needs of a hash for passwords; a simulation brings one that is quick. */
export interface Passwords {
  /** The hash as text. */
  hash(password: string, done: Done<string>): void
  matches(password: string, hash: string, done: Done<boolean>): void
  close(): Promise<void>
}

export const bcryptCosts = { min: 4, max: 31, standard: 10 } as const
/** Hashes that wait for their turn. */
const waitingMax = 1000
/** Passwords that are known to be right. */
const knownMax = 10_000

interface Job {
  readonly password: string
  /** Undefined: make one. */
  readonly hash: string | undefined
}
type Answer = { readonly error: string } | { readonly result: string | boolean }

/** Runs in the thread. Text, since what may be loaded from is not the same in a package and in a test. */
const workerText = `
const { parentPort, workerData } = require('node:worker_threads')
const bcrypt = require(workerData.bcrypt)
parentPort.on('message', ({ password, hash }) => {
  try {
    const result = hash === undefined
      ? bcrypt.hashSync(password, workerData.cost)
      : bcrypt.compareSync(password, hash)
    parentPort.postMessage({ result })
  } catch (reason) {
    parentPort.postMessage({ error: String(reason) })
  }
})
`

export class BcryptPasswords implements Passwords {
  readonly #cost: number
  readonly #waiting: ((answer: Answer) => void)[] = []
  /** Keyed digests of right passwords by hash: worth nothing outside of this process. */
  readonly #known = new Map<string, string>()
  readonly #secret = randomBytes(32)
  #worker: Worker | undefined

  /** `cost`: of new hashes. */
  constructor(cost: number) {
    this.#cost = cost
  }

  hash(password: string, done: Done<string>): void {
    this.#run({ password, hash: undefined }, (error, result) => {
      done(error, typeof result === 'string' ? result : undefined)
    })
  }

  matches(password: string, hash: string, done: Done<boolean>): void {
    const digest = createHmac('sha256', this.#secret).update(password).digest('base64')
    if (this.#known.get(hash) === digest) {
      done(undefined, true)
      return
    }
    this.#run({ password, hash }, (error, result) => {
      if (result === true) this.#remember(hash, digest)
      done(error, error === undefined ? result === true : undefined)
    })
  }

  async close(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    await worker?.terminate()
    this.#failAll('The member is closed')
  }

  #run(job: Job, done: Done<string | boolean>): void {
    if (this.#waiting.length >= waitingMax) {
      done(new KvError('TOO_MANY_REQUESTS'), undefined)
      return
    }
    this.#worker ??= this.#start()
    this.#worker.ref()
    this.#waiting.push((answer) => {
      if ('result' in answer) done(undefined, answer.result)
      else done(new KvError('INTERNAL', { message: answer.error }), undefined)
    })
    this.#worker.postMessage(job, [])
  }

  #start(): Worker {
    const bcrypt = createRequire(import.meta.url).resolve('bcryptjs')
    const worker = new Worker(workerText, {
      eval: true,
      workerData: { bcrypt, cost: this.#cost },
    })
    worker.on('message', (answer: Answer) => {
      const done = this.#waiting.shift()
      // An idle thread does not keep the process alive.
      if (this.#waiting.length === 0) worker.unref()
      done?.(answer)
    })
    worker.on('error', (error) => {
      if (this.#worker === worker) this.#worker = undefined
      this.#failAll(String(error))
    })
    return worker
  }

  #failAll(error: string): void {
    for (const done of this.#waiting.splice(0)) done({ error })
  }

  #remember(hash: string, digest: string): void {
    if (this.#known.size >= knownMax) this.#known.clear()
    this.#known.set(hash, digest)
  }
}
