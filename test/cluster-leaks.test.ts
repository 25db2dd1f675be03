// Many clusters in one process, as a test runner starts them: what each took is given back when it is closed.
import { expect, test } from 'vitest'
import { run } from './balsa-process.ts'
import { repositoryRoot } from './tools.ts'

const clusters = 50
/** What caches of code and of the runtime may still grow by; one cluster alone holds several. */
const growthBytesMax = 6 << 20

const program = `
import { startCluster } from '@balsa/orchestrator'

const held = () => {
  globalThis.gc()
  return {
    heap: process.memoryUsage().heapUsed,
    handles: process.getActiveResourcesInfo().filter((name) => !name.startsWith('FSReq')).sort(),
    listeners: process.eventNames().map((name) => [String(name), process.listenerCount(name)]),
  }
}
const turn = () => new Promise((wake) => setImmediate(wake))
const once = async () => {
  const cluster = await startCluster()
  await cluster.apply('{ apiVersion: v1, kind: ConfigMap, metadata: { name: a } }')
  await cluster.close()
  await turn()
}
for (let index = 0; index < 5; index++) await once()
const before = held()
for (let index = 5; index < ${clusters}; index++) await once()
const after = held()
process.stdout.write(JSON.stringify({ before, after }))
`

interface Held {
  readonly heap: number
  readonly handles: readonly string[]
  readonly listeners: readonly (readonly [string, number])[]
}

test('fifty clusters one after the other leave no handles, no listeners and no memory behind', async () => {
  // That the process ends by itself shows that nothing keeps it.
  const argv = ['--expose-gc', '--input-type=module', '-e', program]
  const { code, stdout, stderr } = await run(process.execPath, argv, {
    cwd: repositoryRoot,
    timeoutMs: 120_000,
  })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const { before, after } = JSON.parse(stdout) as { before: Held; after: Held }
  expect(after.handles).toEqual(before.handles)
  expect(after.listeners).toEqual(before.listeners)
  expect(after.heap - before.heap).toBeLessThan(growthBytesMax)
}, 150_000)
