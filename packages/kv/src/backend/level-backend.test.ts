import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { LevelBackend } from './level-backend.ts'
import { backendSuite } from './testing/backend-suite.ts'

backendSuite('LevelBackend', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'balsa-backend-'))
  let current = await LevelBackend.open(directory)
  return {
    backend: current,
    reopen: async () => (current = await LevelBackend.open(directory)),
    cleanUp: async () => {
      await current.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
})

test('tables without the file that says what belongs to them are refused, not begun anew', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'balsa-backend-'))
  try {
    // As a first start that was cut short leaves it.
    await writeFile(join(directory, 'MANIFEST-000001'), '')
    const backend = await LevelBackend.open(directory)
    backend.put('k', Buffer.from('v'))
    await backend.flush({ sync: true })
    await backend.close()
    await rm(join(directory, 'CURRENT'))
    await expect(LevelBackend.open(directory)).rejects.toThrow('CURRENT is missing')
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})
