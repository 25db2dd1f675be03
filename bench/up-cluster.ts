// `balsa up --members 3` as a cluster to hurt: whoever it kills, `balsa up` starts again by itself.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BalsaProcess } from '../test/balsa-process.ts'
import { freePorts } from '../test/free-ports.ts'
import { findLeader, type Cluster } from './servers.ts'

/** Member i listens on the first port + 10 * i, so the first one is picked with room behind it. */
const portStep = 10

export async function startUpCluster(): Promise<Cluster> {
  const directory = mkdtempSync(join(tmpdir(), 'balsa-up-members-'))
  const [client = 0, api] = await freePorts(2)
  const urls = [0, 1, 2].map((i) => `http://127.0.0.1:${client + portStep * i}`)
  const up = new BalsaProcess([
    'up',
    '--members=3',
    '--agents=0',
    `--data-dir=${directory}`,
    `--client-url=${urls[0]}`,
    `--peer-url=http://127.0.0.1:${client + 1}`,
    `--api-url=https://127.0.0.1:${api}`,
  ])
  const dispose = async (): Promise<void> => {
    await up.stop()
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    await up.ready()
  } catch (reason) {
    await dispose()
    throw reason
  }
  return {
    kind: 'balsa',
    urls,
    leaderUrl: () => findLeader(urls),
    kill: async (index) => {
      const pid = Number(readFileSync(join(directory, 'members', `m${index + 1}.pid`), 'utf8'))
      process.kill(pid, 'SIGKILL')
    },
    start: () => undefined,
    [Symbol.asyncDispose]: dispose,
  }
}
