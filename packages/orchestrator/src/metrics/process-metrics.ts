// What is counted of the process itself, under the names that Prometheus' own clients use.
import { readdirSync, readFileSync } from 'node:fs'
import type { Metrics } from './metrics.ts'

export const observeProcess = (metrics: Metrics): void => {
  const one = (name: string, help: string, read: () => number | undefined): void => {
    metrics.collected({ name, help, type: name.endsWith('_total') ? 'counter' : 'gauge' }, () => {
      const value = read()
      return value === undefined ? [] : [[[], value]]
    })
  }
  one('process_cpu_seconds_total', 'Total user and system CPU time spent in seconds.', () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  })
  one('process_resident_memory_bytes', 'Resident memory size in bytes.', () =>
    process.memoryUsage.rss(),
  )
  one('process_virtual_memory_bytes', 'Virtual memory size in bytes.', () => {
    const [pages] = fromProc(() => readFileSync('/proc/self/statm', 'utf8').split(' ')) ?? []
    return pages === undefined ? undefined : Number(pages) * 4096
  })
  one('process_start_time_seconds', 'Start time of the process since unix epoch in seconds.', () =>
    Math.round(performance.timeOrigin / 1000),
  )
  one('process_open_fds', 'Number of open file descriptors.', () =>
    fromProc(() => readdirSync('/proc/self/fd').length),
  )
  one('process_max_fds', 'Maximum number of open file descriptors.', () =>
    fromProc(() => {
      const limits = readFileSync('/proc/self/limits', 'utf8')
      return Number(/^Max open files +(\d+)/m.exec(limits)?.[1])
    }),
  )
}

/** undefined where the system has no such files. */
const fromProc = <T>(read: () => T): T | undefined => {
  try {
    return read()
  } catch (reason) {
    if (reason instanceof Error && 'code' in reason) return undefined
    throw reason
  }
}
