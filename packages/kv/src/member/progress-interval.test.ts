import { expect, test } from 'vitest'
import type { WatchBatch } from '../kv.ts'
import { openMember } from './open-member.ts'

test('a quiet watch that asked for it hears how far it is, as often as the option says', async () => {
  const member = await openMember({ memory: true, watchProgressNotifyIntervalMs: 100 })
  try {
    const told = new Promise<WatchBatch>((resolve) => {
      member.kv.watch({ key: 'a', progressNotify: true }, { batch: resolve })
    })
    const revision = 1
    expect(await told).toEqual({ events: [], revision })
  } finally {
    await member.close()
  }
})
