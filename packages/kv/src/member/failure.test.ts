// What a member does when its tables or its disk fail: it stops, says so once, and answers what waits.
import { once } from 'node:events'
import { createServer } from 'node:net'
import { expect, test, vi } from 'vitest'
import { MemoryBackend } from '../backend/memory-backend.ts'
import { openMember } from './open-member.ts'

class FailingBackend extends MemoryBackend {
  isBroken = false

  override flush(options: { sync: boolean }): Promise<void> {
    if (this.isBroken) return Promise.reject(new Error('ENOSPC: no space left on device'))
    return super.flush(options)
  }
}

test('a member whose tables cannot be written stops and refuses requests', async () => {
  const backend = new FailingBackend()
  const failures: string[] = []
  const warnings: string[] = []
  const member = await openMember(
    {
      memory: true,
      onFailed: (error) => failures.push(error.message),
      onWarning: (message) => warnings.push(message),
    },
    { backend },
  )
  await member.kv.put('a', '1')
  backend.isBroken = true
  await member.kv.put('a', '2')
  await vi.waitFor(() => expect(warnings).toHaveLength(1), { timeout: 10_000 })
  expect(failures).toEqual(['ENOSPC: no space left on device'])
  await expect(member.kv.put('a', '3')).rejects.toMatchObject({ code: 'STOPPED' })
  await expect(member.kv.get('a')).rejects.toMatchObject({ code: 'STOPPED' })
  await expect(member.close()).rejects.toThrow('ENOSPC')
})

test('a member that fails gives back its peer port, so that its process can end', async () => {
  const backend = new FailingBackend()
  const freePort = async (port: number): Promise<number> => {
    const server = createServer().listen(port, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    await new Promise((resolve) => server.close(resolve))
    return typeof address === 'object' && address !== null ? address.port : 0
  }
  const port = await freePort(0)
  const url = `http://127.0.0.1:${port}`
  const member = await openMember(
    {
      memory: true,
      name: 'm',
      listenPeerUrls: [url],
      initialAdvertisePeerUrls: [url],
      initialCluster: `m=${url}`,
    },
    { backend },
  )
  backend.isBroken = true
  await member.kv.put('a', '1')
  await expect(member.close()).rejects.toThrow('ENOSPC')
  expect(await freePort(port)).toBe(port)
})

test('closing answers what waits and may be called again', async () => {
  const member = await openMember({ memory: true })
  const waiting = [1, 2, 3].map((i) => member.kv.put(`k${i}`, 'v'))
  await Promise.all([member.close(), member.close()])
  const settled = await Promise.allSettled(waiting)
  for (const one of settled) {
    if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'STOPPED' })
  }
  await expect(member.kv.put('a', '1')).rejects.toMatchObject({ code: 'STOPPED' })
})

test('a call that is aborted rejects at once', async () => {
  await using member = await openMember({ memory: true })
  const { kv } = member
  const signal = AbortSignal.abort()
  await expect(kv.put('a', '1', { signal })).rejects.toMatchObject({ code: 'ABORTED' })
  expect(await kv.get('a')).toBeUndefined()
})
