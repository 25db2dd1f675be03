// What the kernel tells of all processes in one look: who is whose child, processor time, resident memory. On Linux only.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { isMissing } from '../runtime/process-identity.ts'

export interface ProcessTimes {
  readonly parent: number
  readonly group: number
  /** Of the process and of its children that have ended. */
  readonly cpuNanoseconds: number
  readonly memoryBytes: number
}

const procDir = '/proc'
/** The kernel tells times in hundredths of a second on every architecture we know. */
const nanosecondsPerTick = 1e7
const pageBytesDefault = 4096
const idsPerTurn = 64
let pageBytes: Promise<number> | undefined

/** Places in /proc/PID/stat, counted after the command's closing parenthesis. */
const field = { parent: 1, group: 2, times: 11, timesEnd: 15, residentPages: 21 } as const

export async function readProcesses(): Promise<Map<number, ProcessTimes>> {
  pageBytes ??= readPageBytes()
  const bytesPerPage = await pageBytes
  const ids = (await readdir(procDir)).filter((name) => /^[0-9]+$/.test(name))
  const processes = new Map<number, ProcessTimes>()
  for (const [index, id] of ids.entries()) {
    // Reading here takes a tenth of what it takes in another thread, and a part at a time holds nobody up.
    if (index % idsPerTurn === idsPerTurn - 1) await nextTurn()
    const text = readIfThere(`${procDir}/${id}/stat`)
    if (text === undefined) continue
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const ticks = fields.slice(field.times, field.timesEnd).map(Number)
    processes.set(Number(id), {
      parent: Number(fields[field.parent]),
      group: Number(fields[field.group]),
      cpuNanoseconds: ticks.reduce((sum, one) => sum + one, 0) * nanosecondsPerTick,
      memoryBytes: Number(fields[field.residentPages]) * bytesPerPage,
    })
  }
  return processes
}

/** The whole machine. */
export async function readMachine(): Promise<{
  cpuNanoseconds: number
  memoryBytes: number
  memoryAvailableBytes: number
}> {
  const [stat, memory] = await Promise.all([
    readFile(`${procDir}/stat`, 'utf8'),
    readFile(`${procDir}/meminfo`, 'utf8'),
  ])
  const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0, steal = 0] = stat
    .slice('cpu'.length, stat.indexOf('\n'))
    .trim()
    .split(/ +/)
    .map(Number)
  const bytesOf = (name: string): number =>
    Number(new RegExp(`^${name}: *(\\d+) kB`, 'm').exec(memory)?.[1] ?? 0) * 1024
  const memoryAvailableBytes = bytesOf('MemAvailable')
  return {
    cpuNanoseconds: (user + nice + system + irq + softIrq + steal) * nanosecondsPerTick,
    memoryBytes: bytesOf('MemTotal') - memoryAvailableBytes,
    memoryAvailableBytes,
  }
}

async function readPageBytes(): Promise<number> {
  const { stdout } = await promisify(execFile)('getconf', ['PAGESIZE'])
  const bytes = Number(stdout.trim())
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : pageBytesDefault
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (reason) {
    if (isMissing(reason)) return undefined
    throw reason
  }
}

/** What only the process itself uses and cannot be given back, in bytes; undefined: it is gone, or the kernel does not tell. */
export function ownMemory(pid: number): number | undefined {
  let text: string | undefined
  try {
    text = readIfThere(`${procDir}/${pid}/smaps_rollup`)
  } catch {
    // Another user's process, or an old kernel.
    return undefined
  }
  const bytesOf = (name: string): number | undefined => {
    const kilobytes = new RegExp(`^${name}: *(\\d+) kB`, 'm').exec(text ?? '')?.[1]
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
  }
  const anonymous = bytesOf('Pss_Anon')
  return anonymous === undefined ? bytesOf('Pss') : anonymous + (bytesOf('Pss_Shmem') ?? 0)
}
