// Members as processes of their own (`balsa up --members 3`): starts them, starts them again when they die, stops them. Each is
// tied to this process by a channel: when this one is killed, they see the channel close and stop by themselves.
import { fork, type ChildProcess } from 'node:child_process'
import { mkdir, open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface MemberProcessesOptions {
  /** The `balsa` entry point that understands `member`. */
  readonly main: string
  readonly dataDir: string
  readonly count: number
  /** The first member's URLs; member i listens on port + 10 * i. */
  readonly clientUrl: URL
  readonly peerUrl: URL
  /** Called when a member died and will be started again. */
  readonly onRestart?: (name: string, why: string) => void
}

export interface MemberProcesses {
  readonly members: readonly {
    readonly name: string
    readonly clientUrl: string
    readonly pid: number | undefined
  }[]
  /** Rejects when a member fails to start before it was ever ready, with the line it printed. */
  readonly failed: Promise<never>
  /** From now on a death is followed by a restart, never by `failed`. */
  ready(): void
  close(): Promise<void>
}

const restartDelayMsMin = 200
const restartDelayMsMax = 5000
const stopTimeoutMs = 10_000
const portStep = 10

/** `http://127.0.0.1:2379`, 1 -> `http://127.0.0.1:2389`. */
const shifted = (url: URL, index: number): string => {
  const copy = new URL(url)
  copy.port = String(Number(url.port) + portStep * index)
  return copy.origin
}

interface Slot {
  readonly name: string
  readonly clientUrl: string
  readonly argv: readonly string[]
  readonly logPath: string
  readonly pidPath: string
  child: ChildProcess | undefined
  startedAt: number
  delayMs: number
}

const planSlots = (options: MemberProcessesOptions): Slot[] => {
  const names = Array.from({ length: options.count }, (_, index) => `m${index + 1}`)
  const initialCluster = names
    .map((name, index) => `${name}=${shifted(options.peerUrl, index)}`)
    .join(',')
  const folder = join(options.dataDir, 'members')
  return names.map((name, index) => {
    const clientUrl = shifted(options.clientUrl, index)
    const peerUrl = shifted(options.peerUrl, index)
    const flags: Record<string, string> = {
      name,
      'data-dir': join(folder, name),
      'listen-client-urls': clientUrl,
      'advertise-client-urls': clientUrl,
      'listen-peer-urls': peerUrl,
      'initial-advertise-peer-urls': peerUrl,
      'initial-cluster': initialCluster,
      'initial-cluster-state': 'new',
    }
    return {
      name,
      clientUrl,
      argv: ['member', ...Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value])],
      logPath: join(folder, `${name}.log`),
      pidPath: join(folder, `${name}.pid`),
      child: undefined,
      startedAt: 0,
      delayMs: restartDelayMsMin,
    }
  })
}

/** The line in which a member said why it stopped. */
const lastLine = async (path: string): Promise<string> => {
  const text = (await readFile(path, 'utf8')).trim()
  return (text.split('\n').at(-1) ?? '').replace(/^balsa: /, '')
}

/** Starts all members; resolves once every process runs (not yet: serves). Logs go to DATA_DIR/members/NAME.log. */
export async function startMemberProcesses(
  options: MemberProcessesOptions,
): Promise<MemberProcesses> {
  await mkdir(join(options.dataDir, 'members'), { recursive: true, mode: 0o700 })
  const slots = planSlots(options)
  const timers = new Set<NodeJS.Timeout>()
  let isClosing = false
  let isReady = false
  let fail: (reason: Error) => void = () => undefined
  const failed = new Promise<never>((_, reject) => {
    fail = reject
  })
  // A failure after close() or ready() has no listener left to tell.
  failed.catch((reason: unknown) => reason)

  const launch = async (slot: Slot): Promise<void> => {
    const log = await open(slot.logPath, 'a', 0o600)
    try {
      const child = fork(options.main, slot.argv, {
        stdio: ['ignore', log.fd, log.fd, 'ipc'],
        execArgv: [],
      })
      slot.child = child
      slot.startedAt = Date.now()
      child.once('exit', (code, signal) => {
        slot.child = undefined
        exited(slot, signal ?? `exit code ${code}`).catch(fail)
      })
      await writeFile(slot.pidPath, `${child.pid}\n`, { mode: 0o600 })
    } finally {
      await log.close()
    }
  }

  const exited = async (slot: Slot, why: string): Promise<void> => {
    if (isClosing) return
    if (!isReady && why === 'exit code 1') {
      fail(new Error(`member ${slot.name}: ${await lastLine(slot.logPath)}`))
      return
    }
    options.onRestart?.(slot.name, why)
    // A member that stayed up for a while earns back the short delay.
    if (Date.now() - slot.startedAt > stopTimeoutMs) slot.delayMs = restartDelayMsMin
    const timer = setTimeout(() => {
      timers.delete(timer)
      if (!isClosing) launch(slot).catch(fail)
    }, slot.delayMs)
    timers.add(timer)
    slot.delayMs = Math.min(restartDelayMsMax, slot.delayMs * 2)
  }

  const stop = (slot: Slot): Promise<void> =>
    new Promise((resolve) => {
      const child = slot.child
      if (child === undefined) return resolve()
      const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
      child.once('exit', () => {
        clearTimeout(timer)
        resolve()
      })
      child.kill('SIGTERM')
    })

  for (const slot of slots) await launch(slot)

  return {
    get members() {
      return slots.map((slot) => ({
        name: slot.name,
        clientUrl: slot.clientUrl,
        pid: slot.child?.pid,
      }))
    },
    failed,
    ready: () => {
      isReady = true
    },
    close: async () => {
      isClosing = true
      for (const timer of timers) clearTimeout(timer)
      await Promise.all(slots.map(stop))
    },
  }
}
