// `balsa kv lock` and `elect` as users run them, in one queue with etcdctl's.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBalsaMember, type BalsaMember } from './balsa-member.ts'
import { BalsaProcess, run, runBalsa, stopBalsaProcesses, waitFor } from './balsa-process.ts'
import { missing, tools } from './tools.ts'

/** A busy machine is not what is tested. */
const patient = ['--dial-timeout', '30s', '--command-timeout', '30s']

describe('balsa kv lock and elect', () => {
  let balsa: BalsaMember
  let there: string[]
  beforeAll(async () => {
    balsa = await openBalsaMember()
    there = ['--endpoints', balsa.url, ...patient]
  })
  afterAll(async () => {
    await stopBalsaProcesses()
    await balsa[Symbol.asyncDispose]()
  })

  test('a command runs while the lock is held, knows its key and gives its exit code', async () => {
    const script = 'echo "$ETCD_LOCK_KEY at $ETCD_LOCK_REV"; exit 3'
    const argv = ['kv', 'lock', 'mutex', ...there, '--', 'sh', '-c', script]
    const { stdout, code } = await runBalsa(argv)
    expect(stdout).toMatch(/^mutex\/[0-9a-f]+\S* at \d+\n$/)
    expect(code).toBe(3)
    expect((await runBalsa(['kv', 'get', '--prefix', 'mutex', ...there])).stdout).toBe('')
  })

  test.skipIf(missing('etcdctl'))('etcdctl waits for a lock that balsa holds', async () => {
    const holder = new BalsaProcess(['kv', 'lock', 'both', ...there])
    await holder.ready('both/')
    let isOver = false
    const waiting = run(tools.etcdctl ?? '', [...there, 'lock', 'both', 'echo', 'mine'])
    void waiting.then(() => (isOver = true))
    const keys = async (): Promise<number> => {
      const got = await runBalsa(['kv', 'get', '--prefix', 'both/', ...there])
      return got.stdout.split('\n').filter((line) => line.startsWith('both/')).length
    }
    await waitFor('both in the queue', async () => (await keys()) === 2)
    expect(isOver).toBe(false)
    expect(await holder.stop('SIGINT')).toBe(0)
    expect((await waiting).stdout).toBe('mine\n')
  })

  test('who listens hears who leads, and the next when the leader resigns', async () => {
    const first = new BalsaProcess(['kv', 'elect', 'office', 'first', ...there])
    await first.ready('first\n')
    const second = new BalsaProcess(['kv', 'elect', 'office', 'second', ...there])
    const listener = new BalsaProcess(['kv', 'elect', '-l', 'office', ...there])
    await listener.ready('first\n')
    expect(second.stdout).toBe('')
    expect(await first.stop('SIGTERM')).toBe(0)
    await second.ready('second\n')
    await listener.ready('second\n')
    expect(first.stdout).toMatch(/^office\/[0-9a-f]+\S*\nfirst\n$/)
  })
})
