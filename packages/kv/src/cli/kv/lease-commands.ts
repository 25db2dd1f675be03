// lease grant, revoke, timetolive, keep-alive and list.
import type { Command } from 'commander'
import { keepLeaseAlive } from '../../client/lease-keeper.ts'
import type { Kv } from '../../kv.ts'
import { leaseId, wholeNumber, withKv } from './kv-options.ts'
import type { KvGlobals } from './kv-options.ts'
import { base64, hexId, printJson, printLine } from './kv-output.ts'

export function registerLeaseCommands(kv: Command): void {
  const lease = kv.command('lease').description('time-limited grants that keys hang on')
  lease
    .command('grant')
    .description('make a lease')
    .argument('<ttl>', 'seconds', wholeNumber)
    .action((ttl: number, _own: object, command: Command) =>
      run(command, async (client, isJson) => {
        const { id, ttlSeconds } = await client.grantLease(ttl)
        if (isJson) printJson({ ID: id, TTL: ttlSeconds })
        else printLine(`lease ${hexId(id)} granted with TTL(${ttlSeconds}s)`)
      }),
    )
  lease
    .command('revoke')
    .description('end a lease; its keys go with it')
    .argument('<id>', 'hexadecimal', leaseId)
    .action((id: bigint, _own: object, command: Command) =>
      run(command, async (client, isJson) => {
        await client.revokeLease(id)
        if (isJson) printJson({})
        else printLine(`lease ${hexId(id)} revoked`)
      }),
    )
  lease
    .command('timetolive')
    .description('how long a lease still lives')
    .argument('<id>', 'hexadecimal', leaseId)
    .option('--keys', 'print its keys too')
    .action((id: bigint, own: { keys?: boolean }, command: Command) =>
      run(command, (client, isJson) => timeToLive(client, id, own.keys ?? false, isJson)),
    )
  lease
    .command('keep-alive')
    .description('renew a lease until interrupted')
    .argument('<id>', 'hexadecimal', leaseId)
    .option('--once', 'renew it once')
    .action((id: bigint, own: { once?: boolean }, command: Command) =>
      run(command, (client) => keepAlive(client, id, own.once ?? false)),
    )
  lease
    .command('list')
    .description('print the ids of all leases')
    .action((_own: object, command: Command) =>
      run(command, async (client, isJson) => {
        const ids = await client.leases()
        if (isJson) {
          printJson({ leases: ids.map((ID) => ({ ID })) })
          return
        }
        printLine(`found ${ids.length} leases`)
        for (const id of ids) printLine(hexId(id))
      }),
    )
}

function run(command: Command, use: (kv: Kv, isJson: boolean) => Promise<void>): Promise<void> {
  const globals = command.optsWithGlobals<KvGlobals>()
  return withKv(globals, (kv) => use(kv, globals.writeOut === 'json'))
}

async function timeToLive(kv: Kv, id: bigint, keys: boolean, isJson: boolean): Promise<void> {
  const life = await kv.leaseTimeToLive(id, { keys })
  const { ttlSeconds, grantedTtlSeconds } = life
  if (isJson) {
    const names = life.keys.map(base64)
    printJson({ id, ttl: ttlSeconds, 'granted-ttl': grantedTtlSeconds, keys: names })
    return
  }
  if (ttlSeconds < 0) {
    printLine(`lease ${hexId(id)} already expired`)
    return
  }
  const names = life.keys.map((key) => Buffer.from(key).toString()).join(' ')
  const attached = keys ? `, attached keys([${names}])` : ''
  const granted = `granted with TTL(${grantedTtlSeconds}s), remaining(${ttlSeconds}s)`
  printLine(`lease ${hexId(id)} ${granted}${attached}`)
}

async function keepAlive(kv: Kv, id: bigint, isOnce: boolean): Promise<void> {
  const ttlSeconds = await kv.keepAliveLease(id)
  if (ttlSeconds <= 0) {
    printLine(`lease ${hexId(id)} expired or revoked.`)
    return
  }
  printLine(`lease ${hexId(id)} keepalived with TTL(${ttlSeconds})`)
  if (isOnce) return
  await new Promise<void>((resolve) => {
    const keeper = keepLeaseAlive(kv, { id, ttlSeconds }, { onLost: () => resolve() })
    const stop = (): void => {
      keeper.stop()
      resolve()
    }
    process.once('SIGINT', stop)
    process.once('SIGTERM', stop)
  })
}
