import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeFolder } from './make-folder.ts'

let dir = ''
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'balsa-folder-'))
})
afterEach(async () => {
  await rm(dir, { recursive: true, force: true })
})

test('a folder is made with its parents, for this user only, and may be there already', async () => {
  const path = join(dir, 'a', 'b', 'c')
  await makeFolder(path)
  await makeFolder(path)
  expect((await stat(path)).mode & 0o777).toBe(0o700)
})

test('a place where nothing can be made is an error, and no endless try', async () => {
  await writeFile(join(dir, 'file'), '')
  await expect(makeFolder(join(dir, 'file'))).rejects.toMatchObject({ code: 'EEXIST' })
  await expect(makeFolder(join(dir, 'file', 'a'))).rejects.toMatchObject({ code: 'ENOTDIR' })
  await expect(makeFolder('/proc/balsa/a')).rejects.toThrow(/ENOENT|EACCES|EROFS|EPERM/)
})
