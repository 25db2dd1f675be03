// Each bug that etcd's robustness tests have found in etcd, as a scene on three members (or one): what led to it there must come out right
// here. Numbers are those of etcd's issues. Every answer and event is checked as in a seeded run, and in the end all members hold the same.
import { expect, test } from 'vitest'
import { anyRange } from './requests.ts'
import { bytes, isAnswer, Scene } from './testing/scene.ts'

const noBytes = new Uint8Array(0)

/** By then the tables have what was written, and the log has let go of it. */
const checkpointMs = 3_000
/** Small logs: whoever is cut off for some writes gets a snapshot. */
const smallLog = { snapshotEntries: 5, catchUpEntries: 0, logRetentionEntriesMax: 0 }

async function putMany(scene: Scene, prefix: string, count: number): Promise<number> {
  let revision = 0
  for (let i = 0; i < count; i++) revision = await scene.put(scene.leader, `${prefix}${i % 5}`)
  return revision
}

test.each([0, 3, 30, 90, 150, 400])(
  '#13766: rows and applied index stay together when the power fails %i ms after a load',
  async (afterMs) => {
    const scene = await Scene.open({ tableStepMsMax: 100, ...smallLog })
    const victim = scene.follower
    await putMany(scene, 'a', 20)
    for (let i = 0; i < 20; i++) {
      scene.begin(scene.leader, { type: 'put', request: scene.putRequest(`a${i % 5}`) })
    }
    await scene.run(afterMs)
    victim.crash('power')
    await scene.run(10)
    victim.start()
    await scene.finish()
    expect(scene.cluster.history.revision).toBeGreaterThanOrEqual(21)
  },
)

test('#14370: a member alone has what it has acknowledged, whenever the power fails', async () => {
  const scene = await Scene.open({ memberCount: 1, syncMsMax: 20, tableStepMsMax: 50 })
  const [alone] = scene.members
  if (alone === undefined) throw new Error('It has a member')
  for (let i = 0; i < 10; i++) {
    const revision = await scene.put(alone, 'a')
    alone.crash('power')
    alone.start()
    await scene.until(() => alone.isLeading)
    expect(await scene.read(alone, { minModRevision: revision })).toBe(1)
  }
  await scene.finish()
})

test('#14685: a defragmentation that ends with the process leaves everything as it was', async () => {
  const scene = await Scene.open({ tableStepMsMax: 50 })
  const { leader } = scene
  await putMany(scene, 'a', 10)
  await scene.compact(leader, 8)
  const { api } = leader
  leader.reach(() => api?.defragment(() => undefined))
  leader.crash('process')
  leader.start()
  await scene.finish()
})

test('#15220: a progress notification waits for a watcher that is behind', async () => {
  const scene = await Scene.open()
  const { leader } = scene
  const watch = scene.watch(leader, 'a')
  await scene.put(leader, 'a1')
  watch.isFull = true
  await scene.put(leader, 'a2')
  await scene.put(leader, 'a3')
  watch.requestProgress()
  await scene.run(500)
  expect(watch.bookmarks).toEqual([])
  watch.drain()
  await scene.until(() => watch.bookmarks.length > 0)
  expect(watch.events).toBe(3)
  await scene.finish()
})

test('#15271: a watcher at a member that gets a snapshot does not go back in time', async () => {
  const scene = await Scene.open(smallLog)
  const { follower } = scene
  const watches = [scene.watch(follower, 'a'), scene.watch(follower, 'a', { startRevision: 1 })]
  await putMany(scene, 'a', 10)
  await scene.until(() => watches.every(({ isUpToDate }) => isUpToDate))
  const { snapshots } = scene.cluster.network.counts
  scene.cutOff(follower)
  await putMany(scene, 'a', 30)
  scene.cutOff()
  await scene.until(() => scene.cluster.network.counts.snapshots > snapshots)
  await scene.until(() => watches.every(({ isUpToDate }) => isUpToDate))
  expect(watches.map(({ events }) => events)).toEqual([40, 40])
  await scene.finish()
})

test('#17247: a txn is told once, to watchers of all its keys and of one', async () => {
  const scene = await Scene.open()
  const { leader, follower } = scene
  const watches = [leader, follower].flatMap((at) => [scene.watch(at, 'a'), scene.watch(at, 'a2')])
  await scene.until(() => watches.every(({ responses }) => responses.length === 1))
  await scene.put(leader, 'a3')
  const compare = { result: 0, target: 0, key: bytes('a1'), rangeEnd: noBytes, number: 0 }
  const success = [
    { type: 'put', request: scene.putRequest('a1') },
    { type: 'range', request: { ...anyRange } },
    { type: 'put', request: scene.putRequest('a2') },
    { type: 'deleteRange', request: { key: bytes('a3'), rangeEnd: noBytes, prevKv: true } },
  ] as const
  const request = { compare: [{ ...compare, value: noBytes, lease: 0n }], success, failure: [] }
  await scene.ask(follower, { type: 'txn', request })
  await scene.until(() => watches.every(({ isUpToDate }) => isUpToDate))
  expect(watches.map(({ events }) => events)).toEqual([4, 1, 4, 1])
  await scene.finish()
})

test('#17529: watchers that are starved for long get every event in the end', async () => {
  const scene = await Scene.open({ tableStepMsMax: 20, viewRowsMax: 3 })
  const { follower } = scene
  const watches = Array.from({ length: 20 }, (_, i) => scene.watch(follower, i < 10 ? 'a' : 'a1'))
  await scene.until(() => watches.every(({ responses }) => responses.length === 1))
  for (const watch of watches) watch.isFull = true
  for (let i = 0; i < 10; i++) {
    await putMany(scene, 'a', 10)
    // A moment of room for some, in which they cannot catch up.
    for (const watch of watches.slice(i, i + 5)) watch.drain()
    await scene.run(1)
    for (const watch of watches) watch.isFull = true
  }
  for (const watch of watches) watch.drain()
  await scene.until(() => watches.every(({ isUpToDate }) => isUpToDate))
  expect(watches.map(({ events }) => events)).toEqual(watches.map((_, i) => (i < 10 ? 100 : 20)))
  await scene.finish()
})

test.each(['power', 'process'] as const)(
  '#17780: the revision does not decrease when a %s failure follows a compaction at a delete',
  async (kind) => {
    const scene = await Scene.open({ tableStepMsMax: 20 })
    await scene.put(scene.leader, 'a')
    const deleted = await scene.delete(scene.leader, 'a')
    await scene.compact(scene.leader, deleted)
    await scene.run(500)
    for (const member of scene.members) member.crash(kind)
    for (const member of scene.members) member.start()
    await scene.until(() => scene.members.some((member) => member.isLeading))
    expect(await scene.put(scene.leader, 'b')).toBe(deleted + 1)
    await scene.finish()
  },
)

test('#18089: a watcher from the compact revision on hears of the delete that is there', async () => {
  const scene = await Scene.open()
  const { leader } = scene
  await scene.put(leader, 'a')
  const deleted = await scene.delete(leader, 'a')
  await scene.compact(leader, deleted)
  const watch = scene.watch(leader, 'a', { startRevision: deleted })
  await scene.until(() => watch.events > 0)
  await scene.finish()
})

test('#19179: and so it does when its member was restarted since', async () => {
  const scene = await Scene.open({ tableStepMsMax: 20 })
  await scene.put(scene.leader, 'a')
  const deleted = await scene.delete(scene.leader, 'a')
  await scene.put(scene.leader, 'b')
  await scene.compact(scene.leader, deleted)
  await scene.run(1_000)
  for (const member of scene.members) member.crash('process')
  for (const member of scene.members) member.start()
  await scene.until(() => scene.members.every(({ api }) => (api?.leader() ?? 0n) !== 0n))
  const watches = scene.members.map((member) => {
    return scene.watch(member, 'a', { startRevision: deleted })
  })
  await scene.until(() => watches.every(({ events }) => events === 1))
  await scene.finish()
})

test('#18055: one snapshot after another, and a third that breaks off', async () => {
  const scene = await Scene.open({ ...smallLog, tableStepMsMax: 200, viewRowsMax: 2 })
  const { follower } = scene
  const { counts } = scene.cluster.network
  for (let round = 0; round < 4; round++) {
    scene.cutOff(follower)
    await putMany(scene, 'a', 20)
    await scene.run(checkpointMs)
    scene.cutOff()
    // In some rounds it is cut off again while it takes the snapshot in.
    const before = counts.snapshots
    await scene.until(() => counts.snapshots > before)
    await scene.run(round * 40)
  }
  await scene.finish()
})

test('#18667: a txn that reads what is compacted is refused whole, by every member alike', async () => {
  const scene = await Scene.open({ tableStepMsMax: 300 })
  const { leader, follower } = scene
  const last = await putMany(scene, 'a', 10)
  const old = { ...anyRange, revision: last - 5 }
  const txn = (): Parameters<Scene['ask']>[1] => ({
    type: 'txn',
    request: {
      compare: [],
      success: [
        { type: 'put', request: scene.putRequest('b') },
        { type: 'range', request: old },
      ],
      failure: [],
    },
  })
  // Members have taken away more or less of the rows by then.
  await scene.compact(leader, last - 2)
  follower.crash('power')
  follower.start()
  await scene.until(() => follower.api !== undefined)
  for (const member of [leader, follower]) {
    const answer = await scene.ask(member, txn())
    expect(answer).toMatchObject({ code: 'COMPACTED' })
  }
  expect(await scene.read(leader, { key: bytes('b'), rangeEnd: noBytes })).toBe(0)
  await scene.finish()
})

test('#20221: a watcher of the future hears nothing before its time, not even how far it is', async () => {
  const scene = await Scene.open(smallLog)
  const { follower } = scene
  const future = scene.cluster.history.revision + 25
  const watch = scene.watch(follower, 'a', { startRevision: future, progressNotify: true })
  watch.requestProgress()
  await putMany(scene, 'a', 5)
  // A snapshot takes the member past the events before, and to them.
  scene.cutOff(follower)
  await putMany(scene, 'a', 15)
  scene.cutOff()
  await scene.run(5_000)
  expect(watch.responses.map(({ created }) => created)).toEqual([true])
  await putMany(scene, 'a', 10)
  watch.requestProgress()
  await scene.until(() => watch.isUpToDate && watch.bookmarks.length > 0)
  expect(watch.events).toBe(scene.cluster.history.revision - future + 1)
  await scene.finish()
})

test.each([0, 20, 60, 120, 250])(
  '#20271: the power fails %i ms after a snapshot began to take the place of the tables',
  async (afterMs) => {
    const scene = await Scene.open({ ...smallLog, tableStepMsMax: 200, viewRowsMax: 2 })
    const { follower } = scene
    await putMany(scene, 'a', 10)
    scene.cutOff(follower)
    const last = await putMany(scene, 'a', 30)
    await scene.compact(scene.leader, last - 3)
    await scene.run(checkpointMs)
    // The next checkpoint: the one before began while the load went on.
    await putMany(scene, 'a', 10)
    await scene.run(checkpointMs)
    scene.cutOff()
    const { counts } = scene.cluster.network
    const before = counts.snapshots
    await scene.until(() => counts.snapshots > before)
    await scene.run(afterMs)
    follower.crash('power')
    follower.start()
    await scene.finish()
  },
)

test.each(['client', 'io', 'timer'] as const)(
  '#20418: a leader that stood still reads nothing stale when its %s events come first',
  async (first) => {
    const scene = await Scene.open()
    const old = scene.leader
    await scene.put(old, 'a')
    for (const isSuspended of [false, true]) {
      const paused = scene.leader
      paused.pause(isSuspended)
      // Asked before anybody else leads; answered after.
      const read = scene.begin(paused, { type: 'range', request: anyRange })
      const next = await scene.untilNewLeader(paused)
      await scene.put(next, 'a')
      const late = scene.begin(paused, { type: 'range', request: anyRange })
      paused.resume(first)
      await scene.until(() => read.value !== undefined && late.value !== undefined)
    }
    await scene.finish()
  },
)

test.each([
  ['stood still', false],
  ['slept', true],
] as const)('#15247: a leader that %s revives no lease, and ends none', async (_, isSuspended) => {
  const scene = await Scene.open()
  const old = scene.leader
  await scene.grant(old, 7n, 3)
  await scene.put(old, 'a', { lease: 7n })
  old.pause(isSuspended)
  const next = await scene.untilNewLeader(old)
  expect(await scene.renew(next, 7n)).toBe(3)
  await scene.run(2_000)
  // By its own time the old leader may end the lease, or renew it.
  const renewal = scene.begin(old, { type: 'leaseKeepAlive', id: 7n })
  old.resume('client')
  await scene.until(() => renewal.value !== undefined)
  const { value } = renewal
  if (value !== undefined && isAnswer(value, 'leaseKeepAlive')) {
    expect(value.response.ttl).toBe(3)
    await scene.run(2_500)
    expect(await scene.read(next)).toBe(1)
  }
  await scene.finish()
})
