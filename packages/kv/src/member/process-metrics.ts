// What the operating system tells of this process, under the names of Prometheus' and etcd's Go programs. Where there is no /proc only
// memory and time are told.
import { readdirSync, readFileSync } from 'node:fs'
import { Counter, Gauge } from '../prometheus.ts'
import type { Registry } from '../prometheus.ts'

/** Linux counts processor time and start times in these. */
const ticksPerSecond = 100
const pageSizeBytes = 4096

export function registerProcessMetrics(registry: Registry): void {
  const gauge = (name: string, help: string, read: () => number): void => {
    registry.registerMetric(
      new Gauge({
        name,
        help,
        registers: [],
        collect(): void {
          this.set(read())
        },
      }),
    )
  }
  registry.registerMetric(
    new Counter({
      name: 'process_cpu_seconds_total',
      help: 'Processor time, of the user and of the system.',
      registers: [],
      collect(): void {
        const { user, system } = process.cpuUsage()
        this.reset()
        this.inc((user + system) / 1e6)
      },
    }),
  )
  gauge('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss())
  gauge('process_virtual_memory_bytes', 'Virtual memory.', virtualBytes)
  gauge('process_virtual_memory_max_bytes', 'Limit of virtual memory.', () =>
    limit('address space'),
  )
  gauge('process_start_time_seconds', 'When the process began, since 1970.', startSeconds)
  gauge('process_open_fds', 'Open files.', openFiles)
  gauge('process_max_fds', 'Limit of open files.', () => limit('open files'))
  gauge('os_fd_used', 'Open files.', openFiles)
  gauge('os_fd_limit', 'Limit of open files.', () => limit('open files'))
}

/** The soft limit; -1 for none, 0 where the system does not tell. */
export function limit(what: 'open files' | 'address space'): number {
  const text = new RegExp(`^Max ${what}\\s+(\\S+)`, 'm').exec(readProc('limits'))?.[1]
  if (text === 'unlimited') return -1
  return Number(text ?? 0)
}

function virtualBytes(): number {
  return Number(readProc('statm').split(' ')[0] ?? 0) * pageSizeBytes
}

function startSeconds(): number {
  // Behind the name, which may hold anything, start time is the 20th field.
  const ticks = readProc('stat').split(') ').at(-1)?.split(' ')[19]
  const boot = /^btime (\d+)/m.exec(read(() => readFileSync('/proc/stat', 'utf8'), ''))?.[1]
  if (ticks === undefined || boot === undefined) return performance.timeOrigin / 1000
  return Number(boot) + Number(ticks) / ticksPerSecond
}

function openFiles(): number {
  return read(() => readdirSync('/proc/self/fd').length, 0)
}

/** '' where there is no such file. */
function readProc(name: string): string {
  return read(() => readFileSync(`/proc/self/${name}`, 'utf8'), '')
}

function read<T>(from: () => T, otherwise: T): T {
  try {
    return from()
  } catch (reason) {
    if (reason instanceof Error && 'code' in reason) return otherwise
    throw reason
  }
}
