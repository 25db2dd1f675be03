import { expect, test } from 'vitest'
import { MemoryBackend, MemoryDisk } from './memory-backend.ts'
import { backendSuite } from './testing/backend-suite.ts'

backendSuite('MemoryBackend', () => {
  const disk = new MemoryDisk()
  return Promise.resolve({
    backend: new MemoryBackend(disk),
    reopen: () => Promise.resolve(new MemoryBackend(disk)),
    cleanUp: () => Promise.resolve(),
  })
})

test('a crash keeps synced batches and a prefix of the others', async () => {
  const disk = new MemoryDisk()
  const backend = new MemoryBackend(disk)
  backend.put('a', Buffer.from('1'))
  await backend.flush({ sync: true })
  backend.put('b', Buffer.from('2'))
  await backend.flush({ sync: false })
  backend.put('c', Buffer.from('3'))
  await backend.flush({ sync: false })
  expect(disk.unsyncedCount).toBe(2)
  disk.crash(1)
  const again = new MemoryBackend(disk)
  expect(['a', 'b', 'c'].map((key) => again.get(key) !== undefined)).toEqual([true, true, false])
})
