// Where a pod keeps its files, and the records that outlive the agent. A record is written beside and renamed, so a reader sees the old or
// the new one; what cannot be read counts as missing.
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing } from '../runtime/process-identity.ts'
import type { ContainerRecord } from './container-record.ts'

export interface PodRecord {
  readonly uid: string
  readonly namespace: string
  readonly name: string
  readonly podIp: string
  readonly startedAtMs: number
}

/** DATA_DIR/pods/UID and DATA_DIR/logs/NAMESPACE_NAME_UID. */
export class PodFiles {
  readonly podDir: string
  readonly #logDir: string

  constructor(dataDir: string, pod: Pick<PodRecord, 'uid' | 'namespace' | 'name'>) {
    this.podDir = join(dataDir, 'pods', pod.uid)
    this.#logDir = join(dataDir, 'logs', `${pod.namespace}_${pod.name}_${pod.uid}`)
  }

  get rootDir(): string {
    return join(this.podDir, 'root')
  }
  get volumesDir(): string {
    return join(this.podDir, 'volumes')
  }
  runDir(container: string, restartCount: number): string {
    return join(this.podDir, 'containers', container, String(restartCount))
  }
  /** Beside the runs: each begins with an empty one. */
  messagePath(container: string): string {
    return join(this.podDir, 'containers', container, 'termination-log')
  }
  logPath(container: string, restartCount: number): string {
    return join(this.#logDir, container, `${restartCount}.log`)
  }

  async create(record: PodRecord): Promise<void> {
    await mkdir(this.rootDir, { recursive: true, mode: 0o700 })
    await mkdir(this.volumesDir, { recursive: true, mode: 0o700 })
    await writeWhole(join(this.podDir, podRecordName), record)
  }

  async saveContainer(container: string, record: ContainerRecord): Promise<void> {
    await mkdir(join(this.podDir, 'containers', container), { recursive: true, mode: 0o700 })
    await writeWhole(join(this.podDir, 'containers', container, 'record.json'), record)
  }
  async loadContainer(container: string): Promise<ContainerRecord | undefined> {
    const json = await readJson(join(this.podDir, 'containers', container, 'record.json'))
    return isContainerRecord(json) ? json : undefined
  }

  /** The folders of every run of every container. */
  async runDirs(): Promise<string[]> {
    const dirs: string[] = []
    const containersDir = join(this.podDir, 'containers')
    for (const container of await entries(containersDir)) {
      for (const run of await entries(join(containersDir, container))) {
        if (/^\d+$/.test(run)) dirs.push(join(containersDir, container, run))
      }
    }
    return dirs
  }

  /** Keeps the run before this one, for `logs --previous`. */
  async removeOldRun(container: string, restartCount: number): Promise<void> {
    if (restartCount < 2) return
    const old = restartCount - 2
    await rm(this.runDir(container, old), { recursive: true, force: true })
    const logDir = join(this.#logDir, container)
    for (const name of await entries(logDir)) {
      if (name.startsWith(`${old}.log`)) await rm(join(logDir, name), { force: true })
    }
  }

  async remove(): Promise<void> {
    await rm(this.podDir, { recursive: true, force: true })
    await rm(this.#logDir, { recursive: true, force: true })
  }
}

const podRecordName = 'pod.json'

export const loadPodRecord = async (
  dataDir: string,
  uid: string,
): Promise<PodRecord | undefined> => {
  const json = await readJson(join(dataDir, 'pods', uid, podRecordName))
  return isPodRecord(json) ? json : undefined
}

/** The uids of all pods that have files. */
export const podUids = (dataDir: string): Promise<string[]> => entries(join(dataDir, 'pods'))

async function writeWhole(path: string, value: object): Promise<void> {
  await writeFile(`${path}.new`, JSON.stringify(value), { mode: 0o600 })
  await rename(`${path}.new`, path)
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch (reason) {
    if (isMissing(reason) || reason instanceof SyntaxError) return undefined
    throw reason
  }
}

async function entries(dir: string): Promise<string[]> {
  try {
    return await readdir(dir)
  } catch (reason) {
    if (isMissing(reason)) return []
    throw reason
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

const isPodRecord = (value: unknown): value is PodRecord =>
  isObject(value) &&
  ['uid', 'namespace', 'name', 'podIp'].every((name) => typeof value[name] === 'string') &&
  typeof value['startedAtMs'] === 'number'

const isEnding = (value: unknown): boolean =>
  value === undefined ||
  (isObject(value) &&
    ['id', 'reason'].every((name) => typeof value[name] === 'string') &&
    ['exitCode', 'startedAtMs', 'finishedAtMs'].every((name) => typeof value[name] === 'number'))

const isContainerRecord = (value: unknown): value is ContainerRecord =>
  isObject(value) &&
  (value['state'] === 'created' || value['state'] === 'running' || value['state'] === 'ended') &&
  typeof value['restartCount'] === 'number' &&
  typeof value['id'] === 'string' &&
  typeof value['startedAtMs'] === 'number' &&
  isEnding(value['ending']) &&
  isEnding(value['lastEnding'])
