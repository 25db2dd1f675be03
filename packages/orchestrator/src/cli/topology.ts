// What a data folder was made for: how many members, and the peer URL from which their ids are derived. Written once, so that a later
// start with other flags is either fine (one member may move to another port) or refused with the flag's name.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface Topology {
  readonly members: number
  readonly peerUrl: string
}

const fileName = 'cluster.json'

/** The topology to start with: the recorded one, or the asked one, which is then recorded. */
export async function agreeTopology(dataDir: string, asked: Topology): Promise<Topology> {
  const path = join(dataDir, fileName)
  const recorded = await readTopology(path)
  if (recorded === undefined) {
    await writeFile(path, `${JSON.stringify(asked)}\n`, { mode: 0o600 })
    return asked
  }
  if (recorded.members !== asked.members) {
    throw new Error(
      `--data-dir ${dataDir} holds a cluster of ${recorded.members} members, and --members asks for ${asked.members}: use --members ${recorded.members}, or another --data-dir`,
    )
  }
  if (recorded.members > 1 && recorded.peerUrl !== asked.peerUrl) {
    throw new Error(
      `--data-dir ${dataDir} holds members that know each other at ${recorded.peerUrl}: use --peer-url ${recorded.peerUrl}, or another --data-dir`,
    )
  }
  return recorded
}

async function readTopology(path: string): Promise<Topology | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (reason) {
    if (reason instanceof Error && 'code' in reason && reason.code === 'ENOENT') return undefined
    throw reason
  }
  try {
    const value: unknown = JSON.parse(text)
    if (isTopology(value)) return value
  } catch (reason) {
    if (!(reason instanceof SyntaxError)) throw reason
  }
  throw new Error(`${path} is damaged: write {"members":N,"peerUrl":"URL"} as the cluster was made`)
}

const isTopology = (value: unknown): value is Topology =>
  typeof value === 'object' &&
  value !== null &&
  'members' in value &&
  Number.isInteger(value.members) &&
  'peerUrl' in value &&
  typeof value.peerUrl === 'string'
