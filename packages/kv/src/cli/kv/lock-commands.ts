// lock and elect: names, lines and variables are etcdctl's. What is held is given back at the end, however that comes, or is free a TTL later.
import { spawn } from 'node:child_process'
import type { Command } from 'commander'
import { openSession } from '../../client/session.ts'
import type { Kv } from '../../kv.ts'
import { campaign, observeLeader } from '../../recipes/election.ts'
import { lock, type HeldLock } from '../../recipes/lock.ts'
import { untilInterrupted } from '../moving/until-interrupted.ts'
import { wholeNumber, withKv, type KvGlobals } from './kv-options.ts'
import { printBytes } from './kv-output.ts'

type Lock = KvGlobals & { readonly ttl: number }
type Elect = KvGlobals & { readonly listen?: boolean }

const ttlDefaultSeconds = 10

export function registerLockCommands(kv: Command): void {
  const locking = kv
    .command('lock')
    .description('hold a lock until it is interrupted, or while a command runs')
    .argument('<name>')
    .argument('[command...]', 'put -- before one that has flags of its own')
    .option('--ttl <seconds>', 'of the session that holds it', wholeNumber, ttlDefaultSeconds)
  locking.action(async (name: string, command: string[]) => {
    const globals = locking.optsWithGlobals<Lock>()
    await withKv(globals, (client) =>
      untilInterrupted((signal) => holdLock(client, { name, command, globals, signal })),
    )
  })
  const electing = kv
    .command('elect')
    .description('stand for election and lead until it is interrupted, or look who leads')
    .argument('<name>')
    .argument('[value]', 'what the leader tells')
    .option('-l, --listen', 'print who leads, now and whenever that changes')
  electing.action(async (name: string, value: string | undefined) => {
    const globals = electing.optsWithGlobals<Elect>()
    if (globals.listen !== true && value === undefined) throw new Error('no proposal argument')
    await withKv(globals, (client) =>
      untilInterrupted(async (signal) => {
        if (globals.listen === true) await listen(client, name, globals, signal)
        else await lead(client, { name, value: value ?? '', globals, signal })
      }),
    )
  })
}

async function holdLock(
  kv: Kv,
  wanted: { name: string; command: readonly string[]; globals: Lock; signal: AbortSignal },
): Promise<void> {
  const { name, command, globals, signal } = wanted
  await using session = await openSession(kv, { ttlSeconds: globals.ttl, signal })
  await using held = await lock(session, name, { signal })
  if (command.length > 0) {
    process.exitCode = await runWith(held, command)
    return
  }
  printBytes(globals, bytesOf(held.isMine.key))
  await ended(held.lost, signal, 'lock lost')
}

/** Its exit code. */
function runWith(held: HeldLock, [program = '', ...args]: readonly string[]): Promise<number> {
  const variables = {
    ETCD_LOCK_KEY: Buffer.from(bytesOf(held.isMine.key)).toString(),
    ETCD_LOCK_REV: String(held.token),
  }
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: 'inherit',
      env: { ...process.env, ...variables },
    })
    child.on('error', reject)
    child.on('exit', (code) => resolve(code ?? 1))
  })
}

async function lead(
  kv: Kv,
  wanted: { name: string; value: string; globals: Elect; signal: AbortSignal },
): Promise<void> {
  const { name, value, globals, signal } = wanted
  await using session = await openSession(kv, { signal })
  await using leadership = await campaign(session, name, value, { signal })
  printBytes(globals, bytesOf(leadership.isMine.key), bytesOf(value))
  await ended(leadership.lost, signal, 'elect: session expired')
}

async function listen(kv: Kv, name: string, globals: Elect, signal: AbortSignal): Promise<void> {
  for await (const { key, value } of observeLeader(kv, name, signal)) {
    printBytes(globals, key, value)
  }
}

/** Resolves when it is interrupted; rejects when what is held is lost before. */
function ended(lost: AbortSignal, interrupted: AbortSignal, message: string): Promise<void> {
  return new Promise((resolve, reject) => {
    interrupted.addEventListener('abort', () => resolve(), { once: true })
    lost.addEventListener('abort', () => reject(new Error(message)), { once: true })
    if (lost.aborted) reject(new Error(message))
    else if (interrupted.aborted) resolve()
  })
}

function bytesOf(text: Uint8Array | string): Uint8Array {
  return typeof text === 'string' ? Buffer.from(text) : text
}
