import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { KvError } from '../errors.ts'
import type { Kv, Txn, TxnResult } from '../kv.ts'
import { openMember, type Member } from '../member/open-member.ts'
import { readCheckpoint, writeCheckpoint } from './mirror-checkpoint.ts'
import { mirror, type MirrorOptions, type MirrorProgress } from './mirror.ts'

let here: Member
let there: Member
beforeEach(async () => {
  ;[here, there] = await Promise.all([openMember({ memory: true }), openMember({ memory: true })])
})
afterEach(async () => {
  await Promise.all([here.close(), there.close()])
})

class RunningMirror {
  latest: MirrorProgress | undefined
  readonly ended: Promise<unknown>
  readonly #stop = new AbortController()
  readonly #source: Kv
  #wake: () => void = () => undefined

  constructor(options: Partial<MirrorOptions> = {}) {
    const { source = here.kv, destination = there.kv } = options
    this.#source = source
    const { signal } = this.#stop
    const onApplied = (latest: MirrorProgress): void => {
      this.latest = latest
      this.#wake()
    }
    this.ended = mirror({ ...options, source, destination, signal, onApplied }).catch(
      (reason: unknown) => reason,
    )
  }

  async caughtUp(): Promise<void> {
    const { revision } = await this.#source.status()
    while (this.latest?.isCopied !== true || this.latest.revision < revision) {
      const end = await Promise.race([
        new Promise<undefined>((resolve) => (this.#wake = (): void => resolve(undefined))),
        this.ended,
      ])
      if (end !== undefined) throw end
    }
  }

  async stop(): Promise<number> {
    this.#stop.abort()
    expect(await this.ended).toMatchObject({ code: 'ABORTED' })
    return this.latest?.revision ?? 0
  }
}

async function contents(kv: Kv, prefix = ''): Promise<Record<string, string>> {
  const { pairs } = await kv.range({ prefix })
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
  return Object.fromEntries(pairs.map(({ key, value }) => [text(key), text(value)]))
}

test('a mirror has what was there, and follows every put, delete and txn', async () => {
  for (let i = 0; i < 1000; i++) await here.kv.put(`key ${i}`, `${i}`)
  const running = new RunningMirror()
  await running.caughtUp()
  await here.kv.put('key 1', 'changed')
  await here.kv.delete('key 2', { prefix: true })
  const put = (key: string): { op: 'put'; key: string; value: string } => ({
    op: 'put',
    key,
    value: 'x',
  })
  await here.kv.txn({ then: [put('a'), put('b'), { op: 'delete', key: 'key 9' }] })
  await running.caughtUp()
  expect(await contents(there.kv)).toEqual(await contents(here.kv))
  await running.stop()
})

test('each version of a key comes to the destination, those of one revision in one', async () => {
  const running = new RunningMirror()
  await running.caughtUp()
  const seen: string[][] = []
  const watch = there.kv.watch(
    { prefix: '' },
    { batch: ({ events }) => seen.push(events.map(({ kv }) => Buffer.from(kv.value).toString())) },
  )
  for (const value of ['1', '2', '3']) {
    const then = ['a', 'b'].map((key) => ({ op: 'put', key, value: `${key}${value}` }) as const)
    await here.kv.txn({ then })
  }
  await running.caughtUp()
  await there.kv.get('a')
  watch.close()
  expect(seen.flat()).toEqual(['a1', 'b1', 'a2', 'b2', 'a3', 'b3'])
  await running.stop()
})

test('a prefix takes the place of another, and nothing else is touched', async () => {
  await there.kv.put('mine', 'stays')
  await there.kv.put('to/old', 'stays too')
  await here.kv.put('from/a', '1')
  await here.kv.put('other', '2')
  const running = new RunningMirror({ prefix: 'from/', destinationPrefix: 'to/' })
  await running.caughtUp()
  await here.kv.put('from/b', '3')
  await running.caughtUp()
  const expected = { mine: 'stays', 'to/a': '1', 'to/b': '3', 'to/old': 'stays too' }
  expect(await contents(there.kv)).toEqual(expected)
  await running.stop()
})

test('more changes of one revision than a txn may hold come in several', async () => {
  for (let i = 0; i < 300; i++) await here.kv.put(`many/${i}`, 'x')
  const running = new RunningMirror()
  await running.caughtUp()
  await here.kv.delete('many/', { prefix: true })
  await running.caughtUp()
  expect(await contents(there.kv)).toEqual({})
  await running.stop()
})

describe('a mirror goes on', () => {
  test('after what it had applied, without writing that again', async () => {
    await here.kv.put('a', '1')
    const first = new RunningMirror()
    await first.caughtUp()
    const after = await first.stop()
    await here.kv.put('b', '2')
    await here.kv.delete('a')
    const { revision } = await there.kv.status()
    const second = new RunningMirror({ after })
    await second.caughtUp()
    expect(await contents(there.kv)).toEqual({ b: '2' })
    expect((await there.kv.status()).revision).toBeLessThanOrEqual(revision + 2)
    await second.stop()
  })

  test('when the destination was out of reach', async () => {
    let failures = 3
    const { kv } = there
    const flaky = Object.create(kv, {
      range: { value: kv.range.bind(kv) },
      txn: {
        value: (txn: Txn): Promise<TxnResult> =>
          failures-- > 0 ? Promise.reject(new KvError('CONNECTION_LOST')) : kv.txn(txn),
      },
    }) as Kv
    const troubles: string[] = []
    await here.kv.put('a', '1')
    const running = new RunningMirror({
      destination: flaky,
      onTrouble: ({ code }) => troubles.push(code),
    })
    await running.caughtUp()
    expect([troubles.length, await contents(there.kv)]).toEqual([3, { a: '1' }])
    await running.stop()
  })

  test('by comparing everything when its place was compacted, if it may remove keys; else it says so', async () => {
    await here.kv.put('a', '1')
    const first = new RunningMirror()
    await first.caughtUp()
    const after = await first.stop()
    await here.kv.delete('a')
    const { revision } = await here.kv.put('b', '2')
    await here.kv.compact(revision)
    expect(await new RunningMirror({ after }).ended).toMatchObject({ code: 'COMPACTED' })
    const exact = new RunningMirror({ after, exact: true })
    await exact.caughtUp()
    expect(await contents(there.kv)).toEqual({ b: '2' })
    await exact.stop()
  })
})

test('what the destination refuses for good ends the mirror', async () => {
  await here.kv.put('a', '1')
  await there.close()
  const running = new RunningMirror({ destination: refusing(there.kv) })
  expect(await running.ended).toMatchObject({ code: 'INTERNAL', message: 'no' })
})

function refusing(kv: Kv): Kv {
  return new Proxy(kv, {
    get: () => () => Promise.reject(new KvError('INTERNAL', { message: 'no' })),
  })
}

describe('a checkpoint', () => {
  const place = { prefix: 'a', destinationPrefix: 'b' }
  let folder: string
  let path: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'balsa-mirror-'))
    path = join(folder, 'checkpoint')
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  test('is read back, and there is none at first', async () => {
    expect(await readCheckpoint(path, place)).toBeUndefined()
    await writeCheckpoint(path, { ...place, revision: 7 })
    await writeCheckpoint(path, { ...place, revision: 8 })
    expect(await readCheckpoint(path, place)).toBe(8)
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ ...place, revision: 8 })
  })

  test('of other prefixes, or another file, is refused', async () => {
    await writeCheckpoint(path, { ...place, revision: 7 })
    await expect(readCheckpoint(path, { ...place, prefix: '' })).rejects.toThrow('--prefix')
    for (const text of [
      '',
      '{}',
      'null',
      '{"prefix":"a","destinationPrefix":"b","revision":"7"}',
    ]) {
      writeFileSync(path, text)
      await expect(readCheckpoint(path, place)).rejects.toThrow('is no checkpoint')
    }
  })
})
