// A restart on real tables uses the saved index: it reads only the rows after it.
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { LevelBackend } from '../backend/level-backend.ts'
import { EmbeddedKv } from './embedded-kv.ts'
import { loadState, type LoadedState } from './load-state.ts'
import { nodeMemberClock } from './member-clock.ts'
import { openTestMember } from './testing/test-member.ts'

const keyCount = 1500

async function withTables(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'balsa-load-'))
  try {
    const backend = await LevelBackend.open(directory)
    const { core } = await openTestMember({ backend, indexRowsMax: 1000 })
    const kv = new EmbeddedKv(core)
    await kv.grantLease(60, { id: 5n })
    for (let i = 0; i < keyCount; i++) await kv.put(`key${i % 700}`, `value ${i}`)
    await kv.put('leased', '1', { lease: 5n })
    await kv.delete('key7')
    // An orderly end saves the index, also of what it holds since the last time.
    await core.close()
    await body(directory)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function load(directory: string): Promise<LoadedState> {
  const backend = await LevelBackend.open(directory)
  try {
    return await loadState({ backend, leaseTtlSecondsMin: 2, clock: nodeMemberClock })
  } finally {
    await backend.close()
  }
}

function summary({ store, lessor, applied }: LoadedState): unknown {
  const keys: unknown[] = []
  store.index.scan({ from: '', to: undefined }, (record) => {
    const { key, main, create, version } = record
    keys.push([key, main, create, version, record.mainAt(500)])
    return true
  })
  return { keys, applied, leased: lessor.keysOf(5n), revision: store.revision }
}

test('with a saved index only the rows after it are read, and the state is the same', async () => {
  await withTables(async (directory) => {
    const fast = await load(directory)
    expect(fast.indexRevision).toBeGreaterThan(900)
    expect(fast.rowsRead).toBeLessThan(600)
    fast.store.index.verify()
    const [name = ''] = (await readdir(directory)).filter((name) => name.startsWith('index-'))
    await writeFile(join(directory, name), 'damaged')
    const slow = await load(directory)
    expect(slow).toMatchObject({ indexRevision: 0, rowsRead: keyCount + 2 })
    expect(summary(slow)).toEqual(summary(fast))
    await rm(join(directory, name))
    expect(summary(await load(directory))).toEqual(summary(fast))
  })
})
