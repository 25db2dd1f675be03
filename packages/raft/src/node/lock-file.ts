// An exclusive lock between processes without flock(2), which Node does not offer: a file that names its owner by pid, start time and
// boot. A lock whose owner is dead is taken over, and by one process only, because a taker must first lock `path`.next.
import { link, readFile, rename, unlink, writeFile } from 'node:fs/promises'

/** Nested take-overs: each level more needs one more process that died in the middle of taking over. */
const takeoverDepthMax = 8
const attemptsMax = 16

/** `code` ELOCKED; `pid` is the owner's, 0 if it cannot be told. */
export class LockedError extends Error {
  override readonly name = 'LockedError'
  readonly code = 'ELOCKED'
  readonly pid: number

  constructor(path: string, pid: number) {
    super(`ELOCKED: ${path} is locked by process ${pid}`)
    this.pid = pid
  }
}

let candidates = 0

export async function lockFile(path: string): Promise<{ release(): Promise<void> }> {
  const owner = await describeProcess(process.pid)
  const candidate = `${path}.${process.pid}-${++candidates}`
  await writeFile(candidate, owner ?? `${process.pid} - -`, { mode: 0o600 })
  try {
    await acquire(path, candidate, 0)
  } finally {
    await unlink(candidate)
  }
  return { release: () => unlink(path) }
}

/** Links `candidate` to `path` (atomic, fails if it is there). */
async function acquire(path: string, candidate: string, depth: number): Promise<void> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    if (await succeeds(link(candidate, path), 'EEXIST')) return
    const text = await readOwner(path)
    if (text === undefined) continue
    if ((await isAlive(text)) || depth === takeoverDepthMax) {
      throw new LockedError(path, pidOf(text))
    }
    const guard = `${path}.next`
    await acquire(guard, candidate, depth + 1)
    try {
      // Only who holds the guard replaces a dead owner; somebody may have done it before us.
      if ((await readOwner(path)) === text) {
        const taken = `${candidate}.taken`
        await link(candidate, taken)
        await rename(taken, path)
        return
      }
    } finally {
      await unlink(guard)
    }
  }
  throw new LockedError(path, 0)
}

async function succeeds(action: Promise<void>, refusal: string): Promise<boolean> {
  try {
    await action
    return true
  } catch (reason) {
    if (hasCode(reason, refusal)) return false
    throw reason
  }
}

async function readOwner(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (reason) {
    if (hasCode(reason, 'ENOENT')) return undefined
    throw reason
  }
}

function pidOf(owner: string): number {
  return Number.parseInt(owner, 10) || 0
}

async function isAlive(owner: string): Promise<boolean> {
  const pid = pidOf(owner)
  if (pid <= 0) return false
  const now = await describeProcess(pid)
  if (now !== undefined) return now === owner
  try {
    process.kill(pid, 0)
    return true
  } catch (reason) {
    // EPERM: it lives and belongs to somebody else.
    return hasCode(reason, 'EPERM')
  }
}

/** "pid start boot", which no other process ever has; undefined where /proc does not tell. */
async function describeProcess(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8')
    // The name in parentheses may hold anything; the fields after it are plain: state is field 3, start time field 22 of proc(5).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const [state, start] = [fields[0], fields[19]]
    if (state === 'Z' || state === 'X') return 'dead, and not yet buried by its parent'
    return start === undefined ? undefined : `${pid} ${start} ${boot.trim()}`
  } catch (reason) {
    if (reason instanceof Error) return undefined
    throw reason
  }
}

function hasCode(reason: unknown, code: string): boolean {
  return reason instanceof Error && 'code' in reason && reason.code === code
}
