// h2load, nghttp2's generator, on the apiserver: the same question as our own generator asks, by somebody else's code.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

export interface H2loadRun {
  readonly h2load: string
  readonly url: string
  readonly token: string
  readonly protocol: 'http/1.1' | 'h2'
  readonly inFlight: number
  readonly seconds: number
  /** Sent with every request, which is a POST then. */
  readonly body?: string
}

/** Requests a second, and answers other than 2xx. */
export async function runH2load(
  run: H2loadRun,
): Promise<{ readonly perSecond: number; readonly failures: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'balsa-bench-h2load-'))
  try {
    const clients = run.protocol === 'h2' ? 4 : run.inFlight
    const argv = [
      `--clients=${clients}`,
      `--max-concurrent-streams=${run.inFlight / clients}`,
      `--duration=${run.seconds}`,
      `--npn-list=${run.protocol}`,
      `--header=authorization: Bearer ${run.token}`,
    ]
    if (run.body !== undefined) {
      const file = join(folder, 'body')
      writeFileSync(file, run.body)
      argv.push(`--data=${file}`, '--header=content-type: application/json')
    }
    const { stdout } = await promisify(execFile)(run.h2load, [...argv, run.url])
    const codes = /status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx/.exec(stdout)
    const [good = 0, ...bad] = (codes ?? []).slice(1).map(Number)
    return { perSecond: good / run.seconds, failures: bad.reduce((sum, count) => sum + count, 0) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
