import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LevelBackend } from './level-backend.ts'
import { backendSuite } from './testing/backend-suite.ts'

backendSuite('LevelBackend', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'balsa-backend-'))
  let current = await LevelBackend.open(directory)
  return {
    backend: current,
    reopen: async () => (current = await LevelBackend.open(directory)),
    cleanUp: async () => {
      await current.close().catch(() => undefined)
      await rm(directory, { recursive: true, force: true })
    },
  }
})
