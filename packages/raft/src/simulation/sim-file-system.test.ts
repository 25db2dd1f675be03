import { expect, test } from 'vitest'
import { SeededRandom } from './random.ts'
import { SimDisk } from './sim-disk.ts'
import { SimFileSystem } from './sim-file-system.ts'

const seeds = Array.from({ length: 200 }, (_, seed) => seed)

async function survivorsOf(
  seed: number,
  act: (system: SimFileSystem) => Promise<void>,
): Promise<SimFileSystem> {
  const disk = new SimDisk(new SeededRandom(seed))
  await act(new SimFileSystem(disk))
  disk.crash()
  return new SimFileSystem(disk)
}

async function contentOf(system: SimFileSystem, path: string): Promise<string | undefined> {
  const files = await system.list('/')
  if (!files.includes(path.slice(1))) return undefined
  const file = await system.open(path, 'read')
  return Buffer.from(await file.read(0, await file.size())).toString('latin1')
}

test('what was synced, and its folder too, lasts through every crash', async () => {
  for (const seed of seeds) {
    const system = await survivorsOf(seed, async (system) => {
      const file = await system.open('/a', 'create')
      await file.write([Buffer.from('one'), Buffer.from('two')], 0)
      await file.sync()
      await system.syncDirectory('/')
      await file.write([Buffer.from('more')], 6)
    })
    expect(await contentOf(system, '/a')).toMatch(/^onetwo/)
  }
})

test('unsynced bytes are kept, lost or torn by a crash, depending on the seed', async () => {
  const outcomes = new Set<string>()
  for (const seed of seeds) {
    const system = await survivorsOf(seed, async (system) => {
      const file = await system.open('/a', 'create')
      await system.syncDirectory('/')
      await file.write([Buffer.alloc(512, 'x'), Buffer.alloc(512, 'y')], 0)
    })
    outcomes.add(
      (await contentOf(system, '/a'))?.replaceAll('\0', '-').replace(/(.)\1*/g, '$1') ?? '',
    )
  }
  expect([...outcomes].sort()).toEqual(['', '-y', 'x', 'xy'])
})

test('a file that was created or renamed may be gone until its folder is synced', async () => {
  const outcomes = new Set<string>()
  for (const seed of seeds) {
    const system = await survivorsOf(seed, async (system) => {
      const file = await system.open('/a', 'create')
      await file.write([Buffer.from('x')], 0)
      await file.sync()
      await system.rename('/a', '/b')
    })
    outcomes.add((await system.list('/')).join())
  }
  expect([...outcomes].sort()).toEqual(['', 'a', 'b'])
})

test('bytes of a failed sync can be read, and are gone after a crash', async () => {
  const disk = new SimDisk(new SeededRandom(1))
  const system = new SimFileSystem(disk)
  const file = await system.open('/a', 'create')
  await system.syncDirectory('/')
  await file.write([Buffer.from('x')], 0)
  system.trouble.failingSyncs = 1
  await expect(file.sync()).rejects.toMatchObject({ code: 'EIO' })
  await file.sync()
  expect(await contentOf(system, '/a')).toBe('x')
  disk.crash()
  expect(await contentOf(new SimFileSystem(disk), '/a')).toBe('')
})

test('a renamed folder takes its files along, and a lock is free again after a crash', async () => {
  const disk = new SimDisk(new SeededRandom(1))
  const system = new SimFileSystem(disk)
  await system.makeDirectory('/d.tmp')
  await system.open('/d.tmp/f', 'create')
  await system.syncDirectory('/d.tmp')
  await system.rename('/d.tmp', '/d')
  await system.syncDirectory('/')
  await system.lock('/d/lock')
  await expect(system.lock('/d/lock')).rejects.toMatchObject({ code: 'ELOCKED' })
  disk.crash()
  const after = new SimFileSystem(disk)
  expect(await after.list('/d')).toEqual(['f'])
  await after.lock('/d/lock')
})
