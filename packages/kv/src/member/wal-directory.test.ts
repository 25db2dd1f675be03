import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openMember } from './open-member.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'balsa-wal-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('the log is in a folder of its own, also for a start that does not name it', async () => {
  const dataDir = join(folder, 'data')
  const walDir = join(folder, 'disk', 'wal')
  {
    await using member = await openMember({ dataDir, walDir })
    await member.kv.put('a', 'b')
  }
  expect(readdirSync(walDir).some((name) => name.endsWith('.wal'))).toBe(true)
  for (const again of [{ dataDir }, { dataDir, walDir }]) {
    await using member = await openMember(again)
    const found = await member.kv.get('a')
    expect(Buffer.from(found?.value ?? []).toString()).toBe('b')
  }
  await expect(openMember({ dataDir, walDir: join(folder, 'other') })).rejects.toThrow(
    `--wal-dir is '${join(folder, 'other')}', but the log of this member is in ${walDir}`,
  )
})

test('a log that is in the data directory stays there', async () => {
  const dataDir = join(folder, 'plain')
  await (await openMember({ dataDir })).close()
  await expect(openMember({ dataDir, walDir: join(folder, 'w') })).rejects.toThrow('move it there')
  await (await openMember({ dataDir, walDir: join(dataDir, 'member', 'wal') })).close()
})
