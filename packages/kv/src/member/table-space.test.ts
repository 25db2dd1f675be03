import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openMember } from './open-member.ts'

test('a compaction makes the size in use fall, a defragmentation the size', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'balsa-space-'))
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }))
  await using member = await openMember({ dataDir })
  const { kv } = member
  let revision = 0
  for (let i = 0; i < 25; i++) {
    const value = crypto.getRandomValues(new Uint8Array(50_000))
    revision = (await kv.put('a', value)).revision
  }
  const before = await kv.status()
  expect(before.dbSizeBytes).toBeGreaterThan(25 * 50_000)
  expect(before.dbSizeInUseBytes).toBe(before.dbSizeBytes)
  await kv.compact(revision, { physical: true })
  const compacted = await kv.status()
  expect(compacted.dbSizeInUseBytes).toBeLessThan(before.dbSizeInUseBytes / 10)
  expect(compacted.dbSizeInUseBytes).toBeGreaterThan(0)
  await kv.maintenance.defragment()
  const after = await kv.status()
  expect(after.dbSizeBytes).toBeLessThan(before.dbSizeBytes / 2)
  expect(after.dbSizeInUseBytes).toBe(after.dbSizeBytes)
  expect(after.dbSizeInUseBytes).toBeGreaterThan(50_000)
})
