// A disk that hangs: nothing fails, a sync just does not come back. The member that leads must not keep the cluster waiting.
import { afterEach, describe, expect, test } from 'vitest'
import { nodeClock } from './clock-node.ts'
import { DiskWatch } from './disk-watch.ts'
import type { Clock } from './ports.ts'
import { KillableFileSystem } from './testing/killable-file-system.ts'
import { propose, read, TestMembers, waitFor, type TestMember } from './testing/test-members.ts'

describe('the watch', () => {
  class Setup {
    write: number | undefined = 1
    readonly changes: boolean[] = []
    readonly watch: DiskWatch = new DiskWatch({
      patienceMs: 100,
      tickMs: 10,
      pendingWrite: () => this.write,
      onChange: (isStalled) => this.changes.push(isStalled),
    })

    ticks(fromMs: number, toMs: number): void {
      for (let now = fromMs; now <= toMs; now += 10) this.watch.check(now)
    }
  }

  test('takes one write that does not come back for a stalled disk, until it does', () => {
    const setup = new Setup()
    setup.ticks(0, 100)
    expect(setup.watch.isStalled).toBe(false)
    setup.ticks(110, 130)
    expect(setup.watch.isStalled).toBe(true)
    setup.write = undefined
    setup.ticks(140, 300)
    expect(setup.changes).toEqual([true, false])
  })

  test('does not mind many writes one after the other', () => {
    const setup = new Setup()
    for (let now = 0; now < 1000; now += 10) {
      if (now % 50 === 0) setup.write = now
      setup.watch.check(now)
    }
    expect(setup.changes).toEqual([])
  })

  test('does not count the time in which the process itself did not run', () => {
    const setup = new Setup()
    setup.ticks(0, 20)
    setup.ticks(10_000, 10_020)
    expect(setup.changes).toEqual([])
  })
})

describe('a cluster', () => {
  let members: TestMembers
  afterEach(async () => {
    await members.close()
  })

  interface Cluster {
    readonly all: readonly TestMember[]
    readonly leader: TestMember
    readonly disk: KillableFileSystem
  }

  async function startCluster(): Promise<Cluster> {
    members = await TestMembers.create(3)
    const disks = new Map(members.voters.map((id) => [id, new KillableFileSystem()]))
    const all: TestMember[] = []
    for (const [id, fileSystem] of disks) all.push(await members.start(id, { fileSystem }))
    const leader = await members.leader()
    const disk = disks.get(leader.id)
    if (disk === undefined) throw new Error('the leader has a disk')
    return { all, leader, disk }
  }

  test('whose leader has a disk that hangs gets another one, loses nothing, and takes it back when the disk goes on', async () => {
    const { all, leader, disk } = await startCluster()
    const before = Array.from({ length: 20 }, (_, i) => `before ${i}`)
    for (const text of before) await propose(leader.node, text)
    disk.hangSyncs()
    const pending = propose(leader.node, 'pending')
    const next = await members.leader(leader.id)
    expect(leader.events).toContainEqual({ type: 'diskStalled', isStalled: true })
    expect(leader.node.status().isDiskStalled).toBe(true)
    await waitFor(() => leader.node.status().role !== 'leader')
    await propose(next.node, 'after')
    await read(next.node)
    disk.continueSyncs()
    expect(await pending).toBeGreaterThan(20)
    await waitFor(() => all.every(({ machine }) => machine.commands.length === 22))
    expect(leader.events).toContainEqual({ type: 'diskStalled', isStalled: false })
    for (const { machine } of all) {
      expect(machine.commands).toEqual(next.machine.commands)
      expect(machine.commands.slice(0, 20)).toEqual(before)
    }
    expect(leader.node.status().isDiskStalled).toBe(false)
  })

  test('whose leader has a disk that hangs for ever answers what was proposed there', async () => {
    const { leader, disk } = await startCluster()
    disk.hangSyncs()
    const pending = propose(leader.node, 'pending')
    const next = await members.leader(leader.id)
    await propose(next.node, 'after')
    disk.kill()
    // It answers everybody at once, and gives the files back when the disk does.
    void leader.node.close()
    await expect(pending).rejects.toMatchObject({ code: 'CLOSED' })
    members.members.delete(leader.id)
  })

  test('goes on with a follower whose disk hangs, which does not campaign when it hears nobody', async () => {
    const { all, leader } = await startCluster()
    const follower = members.follower(leader)
    await members.stop(follower.id)
    const fileSystem = new KillableFileSystem()
    let ticks = 0
    const setTimer: Clock['setTimer'] = (ms, callback) => {
      ticks++
      return nodeClock.setTimer(ms, callback)
    }
    const clock = { ...nodeClock, setTimer }
    const back = await members.start(follower.id, { fileSystem, clock })
    await propose(leader.node, 'before')
    await waitFor(() => back.machine.commands.length === 1)
    const { term } = leader.node.status()
    fileSystem.hangSyncs()
    await propose(leader.node, 'meanwhile')
    await waitFor(() => back.node.status().isDiskStalled)
    members.network.setIsolated(back.id, true)
    // Three election timeouts without a leader.
    const isolatedAt = ticks
    await waitFor(() => ticks > isolatedAt + 30)
    expect(back.node.status()).toMatchObject({ role: 'follower', term })
    members.network.setIsolated(back.id, false)
    fileSystem.continueSyncs()
    await waitFor(() => back.machine.commands.length === 2)
    expect(all.find(({ id }) => id === leader.id)?.node.status().term).toBe(term)
  })
})
