// Runs a kubectl with nothing of this user's: own home, own cache.
import { spawn } from 'node:child_process'
import { join } from 'node:path'

export interface Result {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** One kubectl for one apiserver. `env` is added to its environment. */
export class Kubectl {
  readonly #path: string
  readonly #home: string
  readonly #kubeconfig: string
  readonly #env: Readonly<Record<string, string>>

  constructor(
    path: string,
    home: string,
    kubeconfig: string,
    env: Readonly<Record<string, string>> = {},
  ) {
    this.#env = env
    this.#path = path
    this.#home = home
    this.#kubeconfig = kubeconfig
  }

  start(
    args: readonly string[],
    stdin = '',
  ): { readonly done: Promise<Result>; outputHas(text: string): Promise<void>; stop(): void } {
    const child = spawn(
      this.#path,
      ['--kubeconfig', this.#kubeconfig, '--cache-dir', join(this.#home, 'cache'), ...args],
      { env: { PATH: process.env['PATH'] ?? '', HOME: this.#home, ...this.#env } },
    )
    let out = ''
    let err = ''
    const waiting = new Set<() => void>()
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString()
      for (const check of waiting) check()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString()
    })
    child.stdin.end(stdin)
    const done = new Promise<Result>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code) => {
        resolve({ code, out, err })
      })
    })
    return {
      done,
      outputHas: (text) =>
        new Promise((resolve, reject) => {
          const check = (): void => {
            if (!out.includes(text)) return
            waiting.delete(check)
            resolve()
          }
          waiting.add(check)
          check()
          child.on('close', () => {
            reject(new Error(`kubectl ended without ${text}: ${out}${err}`))
          })
        }),
      stop: () => child.kill('SIGTERM'),
    }
  }

  /** Standard output; throws when it fails. */
  async run(args: string, stdin?: string): Promise<string> {
    const result = await this.start(split(args), stdin).done
    if (result.code !== 0) throw new Error(`kubectl ${args}: exit ${result.code}: ${result.err}`)
    return result.out
  }

  /** Standard error of a command that must fail. */
  async fails(args: string, stdin?: string): Promise<string> {
    const result = await this.start(split(args), stdin).done
    if (result.code === 0) throw new Error(`kubectl ${args} did not fail: ${result.out}`)
    return result.err
  }
}

/** At spaces, but not inside single quotes. */
const split = (args: string): string[] =>
  [...args.matchAll(/'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2] ?? '')
