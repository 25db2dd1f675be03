import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { nodeFileSystem } from './file-system-node.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'balsa-files-'))
})
afterEach(async () => {
  await rm(directory, { recursive: true, force: true })
})

describe('a file', () => {
  test('is created once and only, written in pieces, read, truncated and synced', async () => {
    const path = join(directory, 'file')
    const file = await nodeFileSystem.open(path, 'create')
    await expect(nodeFileSystem.open(path, 'create')).rejects.toMatchObject({ code: 'EEXIST' })
    await file.write([Buffer.from('one '), Buffer.from('two')], 3)
    await file.sync()
    expect(await file.size()).toBe(10)
    expect(Buffer.from(await file.read(3, 100)).toString()).toBe('one two')
    await file.truncate(6)
    expect(Buffer.from(await file.read(0, 100)).toString()).toBe('\0\0\0one')
    await file.close()
    await nodeFileSystem.syncDirectory(directory)
  })

  test('takes more buffers and bytes than one call of the system does', async () => {
    const file = await nodeFileSystem.open(join(directory, 'file'), 'create')
    const buffers = Array.from({ length: 3000 }, (_, i) => Buffer.alloc(i % 100, i % 251))
    const large = [Buffer.alloc(1_000_000, 1), ...buffers]
    await file.write(buffers, 0)
    expect(Buffer.from(await file.read(0, 1 << 20)).equals(Buffer.concat(buffers))).toBe(true)
    await file.write(large, 5)
    expect(Buffer.from(await file.read(5, 1 << 21)).equals(Buffer.concat(large))).toBe(true)
    await file.close()
  })

  test('that is missing is ENOENT', async () => {
    for (const mode of ['read', 'write'] as const) {
      await expect(nodeFileSystem.open(join(directory, 'none'), mode)).rejects.toMatchObject({
        code: 'ENOENT',
      })
    }
    await expect(nodeFileSystem.list(join(directory, 'none'))).rejects.toMatchObject({
      code: 'ENOENT',
    })
  })
})

describe('a lock', () => {
  const path = (): string => join(directory, 'lock')

  test('is held by one, names its owner, and is free after its release', async () => {
    const lock = await nodeFileSystem.lock(path())
    await expect(nodeFileSystem.lock(path())).rejects.toMatchObject({
      code: 'ELOCKED',
      pid: process.pid,
    })
    await lock.release()
    const again = await nodeFileSystem.lock(path())
    await again.release()
    expect(await readdir(directory)).toEqual([])
  })

  test('of a process that lives is kept, of one that died is taken over', async () => {
    const other = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'])
    const { pid = 0 } = other
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
    await writeFile(path(), `${pid} ${start} ${boot}`)
    await expect(nodeFileSystem.lock(path())).rejects.toMatchObject({ code: 'ELOCKED', pid })
    other.kill('SIGKILL')
    await once(other, 'exit')
    const lock = await nodeFileSystem.lock(path())
    await lock.release()
  })

  test.each([
    ['an owner whose number another process has now', `${process.pid} 1 some-boot`],
    ['no readable owner', ''],
  ])('with %s is taken over', async (_name, owner) => {
    await writeFile(path(), owner)
    const lock = await nodeFileSystem.lock(path())
    await lock.release()
    expect(await readdir(directory)).toEqual([])
  })

  test('of a dead owner goes to exactly one of many that want it', async () => {
    for (let round = 0; round < 10; round++) {
      await writeFile(path(), `${process.pid} 1 some-boot`)
      const attempts = await Promise.allSettled(
        Array.from({ length: 8 }, () => nodeFileSystem.lock(path())),
      )
      const taken = attempts.filter((attempt) => attempt.status === 'fulfilled')
      expect(taken).toHaveLength(1)
      for (const { value } of taken) await value.release()
    }
    expect(await readdir(directory)).toEqual([])
  })
})
