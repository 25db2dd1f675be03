// Three members of which two are gone for good: the third is asked, refuses, is confirmed, and goes on alone with everything it had.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { freePorts } from '../../../../test/free-ports.ts'
import { forceNewCluster } from './force-new-cluster.ts'
import { idText } from './identity.ts'
import type { MemberOptions } from './member-options.ts'
import { openMember, type Member } from './open-member.ts'

const cleanUps: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

async function open(options: MemberOptions): Promise<Member> {
  const member = await openMember(options)
  cleanUps.push(() => member.close())
  return member
}

test('a member goes on alone when it is told the id of the cluster, and not before', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'balsa-force-'))
  cleanUps.push(() => rm(directory, { recursive: true, force: true }))
  const urls = (await freePorts(3)).map((port) => `http://127.0.0.1:${port}`)
  const initialCluster = urls.map((url, i) => `m${i}=${url}`).join(',')
  const options = urls.map((url, i) => ({
    name: `m${i}`,
    dataDir: join(directory, `m${i}`),
    listenPeerUrls: [url],
    initialCluster,
    heartbeatIntervalMs: 50,
    electionTimeoutMs: 500,
  }))
  const [survivor, other, third] = options
  if (survivor === undefined || other === undefined || third === undefined) throw new Error('three')
  const members = [await open(survivor), await open(other), await open(third)]
  await Promise.all(members.map((member) => member.ready()))
  const [first, second, last] = members
  for (let i = 0; i < 10; i++) await first?.kv.put(`key${i}`, String(i))
  const clusterId = idText(first?.clusterId ?? 0n)

  await first?.close()
  await expect(forceNewCluster(survivor, clusterId)).rejects.toThrow(
    '--force-new-cluster is not needed',
  )
  await second?.close()
  await last?.close()
  await expect(forceNewCluster(survivor, 'true')).rejects.toThrow(
    `give --force-new-cluster=${clusterId}`,
  )
  await expect(forceNewCluster(survivor, 'f00')).rejects.toThrow('nothing was changed')
  expect(await forceNewCluster(survivor, clusterId)).toContain(
    'the only one of the cluster now, generation 1',
  )
  expect(await forceNewCluster(survivor, clusterId)).toContain('has nothing to do')

  const alone = await open(survivor)
  await alone.ready()
  expect((await alone.kv.range({ prefix: 'key' })).pairs).toHaveLength(10)
  await alone.kv.put('after', '1')
  const listed = await alone.kv.members()
  expect(listed.map(({ name }) => name)).toEqual(['m0'])
})
