import { expect, test, vi } from 'vitest'
import { ApiError } from '../client/api-client.ts'
import { fencedClient } from '../client/fenced-client.ts'
import { FakeApiClient } from '../client/testing/fake-api-client.ts'
import { configMapType } from '../resources/config-map.ts'
import { Leading, type Term } from './leading.ts'
import { startControllers } from './start-controllers.ts'
import { startScheduler } from './start-scheduler.ts'

const times = { leaseDurationMs: 1000, renewDeadlineMs: 300, retryPeriodMs: 20 }
const leadingOf = (
  client: FakeApiClient,
  start: (term: Term) => Promise<{ close(): Promise<void> }>,
) => {
  const onError = vi.fn<(error: unknown) => void>()
  const leading = new Leading({ ...times, client, name: 'x', identity: 'a', start, onError })
  leading.start()
  return leading
}

test.each([
  ['controllers', startControllers],
  ['a scheduler', startScheduler],
])('%s whose apiserver is gone while they start can be closed', async (_what, startPart) => {
  const client = new FakeApiClient()
  const list = vi
    .spyOn(client, 'list')
    .mockRejectedValue(new ApiError(503, 'ServiceUnavailable', 'gone'))
  const leading = leadingOf(client, ({ wanted: signal }) => startPart({ client, signal }))
  await vi.waitFor(() => expect(list).toHaveBeenCalled())
  await leading.close()
  expect(leading.isLeader).toBe(false)
})

test('whoever does not lead any more sends nothing, even in the middle of its work', async () => {
  const client = new FakeApiClient()
  const terms: Term[] = []
  const leading = leadingOf(client, async (term) => {
    terms.push(term)
    return { close: () => Promise.resolve() }
  })
  await vi.waitFor(() => expect(terms).toHaveLength(1))
  const [term] = terms
  if (term === undefined) throw new Error('no term')
  const fenced = fencedClient(client, term.leading)
  const configMap = { apiVersion: 'v1', kind: 'ConfigMap' }
  await fenced.create(configMapType, {
    ...configMap,
    metadata: { name: 'a', namespace: 'default' },
  })
  vi.spyOn(client, 'update').mockRejectedValue(new ApiError(503, 'ServiceUnavailable', 'gone'))
  await vi.waitFor(() => expect(term.leading.aborted).toBe(true))
  await expect(
    fenced.create(configMapType, { ...configMap, metadata: { name: 'b', namespace: 'default' } }),
  ).rejects.toThrow('aborted')
  expect(client.all(configMapType).map(({ metadata }) => metadata.name)).toEqual(['a'])
  await leading.close()
})
