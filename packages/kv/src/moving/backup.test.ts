import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SnapshotPart } from '../client/download-snapshot.ts'
import { KvError } from '../errors.ts'
import type { Kv } from '../kv.ts'
import { openMember, type Member } from '../member/open-member.ts'
import { checkBackup, restoreBackup, type BackupPoint } from './restore-backup.ts'
import { takeBackup } from './take-backup.ts'

let root: string
let folder: string
let member: Member
let timeMs: number
let restores: number
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'balsa-backup-'))
  folder = join(root, 'backup')
  timeMs = Date.parse('2026-01-01T00:00:00Z')
  restores = 0
  member = await openMember({ memory: true })
})
afterEach(async () => {
  await member.close()
  rmSync(root, { recursive: true, force: true })
})

async function* snapshot(): AsyncIterable<SnapshotPart> {
  const image = member.api.maintenance.snapshot()
  try {
    yield* image.blobs()
  } finally {
    image.release()
  }
}

/** Saves everything there is, one second after the last time. */
async function backUp(): Promise<number> {
  timeMs += 1000
  let saved = 0
  await takeBackup({
    kv: member.kv,
    snapshot,
    folder,
    signal: new AbortController().signal,
    nowMs: () => timeMs,
    isOnce: true,
    onSaved: (revision) => {
      saved = revision
    },
  })
  return saved
}

async function withRestored<T>(point: BackupPoint, use: (kv: Kv) => Promise<T>): Promise<T> {
  const dataDir = join(root, `restored ${restores++}`)
  await restoreBackup(folder, point, { dataDir })
  await using restored = await openMember({ dataDir })
  return await use(restored.kv)
}

async function contents(kv: Kv, revision = 0): Promise<string[]> {
  const { pairs } = await kv.range({ prefix: '', revision })
  return pairs.map((pair) => {
    const [key, value] = [pair.key, pair.value].map((bytes) => Buffer.from(bytes).toString())
    return `${key}=${value} ${pair.createRevision} ${pair.modRevision} ${pair.version}`
  })
}

async function change(count: number): Promise<void> {
  const { kv } = member
  for (let i = 0; i < count; i++) {
    const { revision } = await kv.put(`key ${i % 5}`, `${timeMs} ${i}`)
    if (i % 7 === 3) await kv.delete(`key ${(i + 2) % 5}`)
    const put = (key: string) => ({ op: 'put', key, value: `${revision}` }) as const
    if (i % 5 === 1) await kv.txn({ then: [put('x'), put('y'), { op: 'delete', key: 'key 0' }] })
  }
}

const deltas = (): string[] =>
  readdirSync(folder)
    .filter((name) => name.startsWith('delta-'))
    .map((name) => join(folder, name))

test('every revision since the store began is restored as it was, with the hash it had', async () => {
  await change(12)
  await backUp()
  await change(12)
  await backUp()
  await change(12)
  const last = await backUp()
  const { kv } = member
  expect(last).toBe((await kv.status()).revision)
  expect(checkBackup(folder)).toMatchObject({ revision: last })
  for (const toRevision of [3, 9, 17, 18, 30, last - 1, last]) {
    await withRestored({ toRevision }, async (restored) => {
      const { hash } = await kv.hashKv({ revision: toRevision })
      expect(await restored.hashKv()).toMatchObject({ hash, revision: toRevision })
      expect(await contents(restored)).toEqual(await contents(kv, toRevision))
      expect((await restored.put('next', 'x')).revision).toBe(toRevision + 1)
    })
  }
  await expect(withRestored({ toRevision: last + 1 }, contents)).rejects.toThrow(
    `revision ${last + 1} is not in the backup, which ends at revision ${last}`,
  )
})

test('a time brings back what had been seen until then', async () => {
  await change(3)
  const revisions = [await backUp()]
  for (let i = 0; i < 3; i++) {
    await change(4)
    revisions.push(await backUp())
  }
  const { kv } = member
  const start = Date.parse('2026-01-01T00:00:01Z')
  for (const [i, revision] of revisions.entries()) {
    const point = { toTimeMs: start + i * 1000 + 500 }
    expect(await withRestored(point, contents)).toEqual(await contents(kv, revision))
  }
  await expect(withRestored({ toTimeMs: start - 1 }, contents)).rejects.toThrow('begins at')
})

test('what the source has compacted is bridged by another base', async () => {
  await change(5)
  const first = await backUp()
  const { kv } = member
  const before = await contents(kv)
  await change(5)
  const { revision } = await kv.put('key 1', 'before the gap')
  await kv.compact(revision)
  await change(5)
  const last = await backUp()
  expect(checkBackup(folder).bases).toHaveLength(2)
  for (const toRevision of [revision, revision + 3, last]) {
    const expected = await contents(kv, toRevision)
    expect(await withRestored({ toRevision }, contents)).toEqual(expected)
  }
  expect(await withRestored({ toRevision: first }, contents)).toEqual(before)
  await expect(withRestored({ toRevision: first + 1 }, contents)).rejects.toMatchObject({
    code: 'COMPACTED',
  })
})

test('keys keep their leases', async () => {
  const { kv } = member
  await backUp()
  const { id } = await kv.grantLease(700)
  await kv.put('leased', 'x', { lease: id })
  await backUp()
  await withRestored({}, async (restored) => {
    const { grantedTtlSeconds, keys } = await restored.leaseTimeToLive(id, { keys: true })
    expect([grantedTtlSeconds, keys.map((key) => Buffer.from(key).toString())]).toEqual([
      700,
      ['leased'],
    ])
    await restored.revokeLease(id)
    expect(await restored.get('leased')).toBeUndefined()
  })
})

describe('a backup', () => {
  test('goes on after a crash that left its last record unfinished', async () => {
    await change(3)
    await backUp()
    await change(6)
    const last = await backUp()
    const [path = ''] = deltas()
    const whole = readFileSync(path)
    for (const size of [whole.length - 1, whole.length - 60, 9, 3, 0]) {
      writeFileSync(path, whole.subarray(0, size))
      expect(checkBackup(folder).revision).toBeLessThan(last + 1)
      await change(1)
      const saved = await backUp()
      expect(await withRestored({}, contents)).toEqual(await contents(member.kv, saved))
      for (const each of deltas().filter((name) => name !== path)) rmSync(each)
    }
  })

  test('tells when any byte of it has changed, or a file of it is missing', async () => {
    await change(3)
    await backUp()
    await change(6)
    await backUp()
    await change(6)
    await backUp()
    const [first = '', second = ''] = deltas()
    const whole = readFileSync(first)
    for (let at = 0; at < whole.length; at += 7) {
      const flipped = Buffer.from(whole)
      flipped[at] = (flipped[at] ?? 0) ^ 16
      writeFileSync(first, flipped)
      expect(() => checkBackup(folder)).toThrow(KvError)
    }
    writeFileSync(first, whole)
    expect(checkBackup(folder).deltas).toHaveLength(2)
    rmSync(first)
    expect(() => checkBackup(folder)).toThrow(/revisions \d+ to \d+ are missing/)
    writeFileSync(first, whole)
    const [base = ''] = readdirSync(folder).filter((name) => name.startsWith('base-'))
    const bytes = readFileSync(join(folder, base))
    bytes[5000] = (bytes[5000] ?? 0) ^ 1
    writeFileSync(join(folder, base), bytes)
    expect(() => checkBackup(folder)).toThrow('expected sha256')
    expect(second).not.toBe('')
  })

  test('of another store is not gone on with', async () => {
    await change(9)
    await backUp()
    await member.close()
    member = await openMember({ memory: true })
    await expect(backUp()).rejects.toThrow('begin another folder')
  })

  test('that is none is refused', async () => {
    await expect(withRestored({}, contents)).rejects.toThrow()
    writeFileSync(join(root, 'x'), '')
    expect(() => checkBackup(root)).toThrow('holds no backup')
  })
})
