// The data directory: DATA_DIR/member/{wal,snap,db}, for this user only, and a file that says whose it is.
import { access, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { KvError } from '../errors.ts'
import { idText } from './identity.ts'
import type { MemberPlan } from './member-options.ts'

export interface DataDirectory {
  /** Of raft: it makes wal and snap in it. */
  readonly member: string
  readonly tables: string
}

export interface Owner {
  readonly memberId: string
  readonly clusterId: string
  readonly name: string
  /** Of a member that joined a running cluster: the other voters at that time, and the peer URLs of everybody by id. */
  readonly joined?: {
    readonly voters: readonly string[]
    readonly peerUrls: Readonly<Record<string, readonly string[]>>
  }
}

/** Makes what is missing, and writes down whose it is. Throws an error that names --data-dir if it cannot be used. */
export async function openDataDirectory(dataDir: string, plan: MemberPlan): Promise<DataDirectory> {
  const member = join(dataDir, 'member')
  try {
    await makeDirectory(resolve(member))
    await claim(dataDir, join(member, 'owner.json'), {
      memberId: idText(plan.id),
      clusterId: idText(plan.clusterId),
      name: plan.name,
      ...(plan.isJoining
        ? { joined: { voters: plan.voters, peerUrls: Object.fromEntries(plan.peerUrlsById) } }
        : {}),
    })
  } catch (reason) {
    if (reason instanceof KvError) throw reason
    const cause = reason instanceof Error ? reason.message : String(reason)
    throw unusable(
      `--data-dir '${dataDir}' cannot be used (${cause}); choose a folder that this user can write`,
      reason,
    )
  }
  return { member, tables: join(member, 'db') }
}

/** What LevelDB says when the folder is in use or broken. */
export function tablesFailure(dataDir: string, reason: unknown): KvError {
  const cause = reason instanceof Error && reason.cause instanceof Error ? reason.cause : reason
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (code === 'LEVEL_LOCKED') {
    return unusable(
      `--data-dir '${dataDir}' is in use by another process; stop it or choose another folder`,
      reason,
    )
  }
  const text = cause instanceof Error ? cause.message : String(cause)
  if (text.includes('newer version')) {
    return unusable(`--data-dir '${dataDir}' cannot be opened: ${text}`, reason)
  }
  const cure = text.includes('No space left')
    ? 'make room on its disk and start again'
    : 'its tables are damaged; move member/db in it away and start again, they are made anew if the log still holds everything'
  return unusable(`--data-dir '${dataDir}' cannot be opened (${text}); ${cure}`, reason)
}

/** With its parents. Node's own recursive form spins for ever where a parent says ENOENT whatever is done, as /proc does. */
async function makeDirectory(path: string): Promise<void> {
  const make = (): Promise<void> => mkdir(path, { mode: 0o700 })
  try {
    await make()
  } catch (reason) {
    const code = reason instanceof Error && 'code' in reason ? reason.code : undefined
    if (code === 'EEXIST') return
    const parent = dirname(path)
    if (code !== 'ENOENT' || parent === path) throw reason
    await makeDirectory(parent)
    await make()
  }
}

/** Whose the data is, if there is any. */
export function findOwner(dataDir: string): Promise<Owner | undefined> {
  return readOwner(join(dataDir, 'member', 'owner.json'))
}

async function claim(dataDir: string, file: string, owner: Owner): Promise<void> {
  if ((await readOwner(file)) !== undefined) return
  await refuseEtcdData(dataDir)
  await writeFile(`${file}.tmp`, `${JSON.stringify(owner)}\n`, { mode: 0o600, flush: true })
  await rename(`${file}.tmp`, file)
}

/** etcd's files bear other names than ours, so both would stand side by side, and neither program would say a word. */
async function refuseEtcdData(dataDir: string): Promise<void> {
  const isEtcd = await access(join(dataDir, 'member', 'snap', 'db')).then(
    () => true,
    () => false,
  )
  if (!isEtcd) return
  throw unusable(
    `--data-dir '${dataDir}' holds data of etcd, which Balsa does not read; choose another folder`,
  )
}

async function readOwner(file: string): Promise<Owner | undefined> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (reason) {
    const code = reason instanceof Error && 'code' in reason ? reason.code : undefined
    // A folder that cannot be one is told apart when it is made.
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw reason
  }
  return JSON.parse(text) as Owner
}

function unusable(message: string, cause?: unknown): KvError {
  return new KvError('INTERNAL', { message, cause })
}
