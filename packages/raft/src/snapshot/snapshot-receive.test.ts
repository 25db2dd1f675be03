// Goal: a snapshot that arrives in pieces, over breaks, failures and crashes at every point, is in the end exactly the one that was sent, and
// bytes that are on disk are not sent again. Method: a simulated disk, and a file system that fails or stops at its n-th call.
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { expect, test } from 'vitest'
import type { NodeId, SnapshotMeta } from '../core/types.ts'
import type { File, FileSystem, SnapshotStream, StreamPosition } from '../node/ports.ts'
import { SeededRandom } from '../simulation/random.ts'
import { SimDisk } from '../simulation/sim-disk.ts'
import { SimFileSystem } from '../simulation/sim-file-system.ts'
import { partName, snapshotName } from './snapshot-format.ts'
import { SnapshotStore } from './snapshot-store.ts'

const directory = 'snap'
const leader = 'a' as NodeId
const meta = (index: number, term = 3): SnapshotMeta => ({
  index,
  term,
  membership: { voters: [leader, 'b' as NodeId], votersOutgoing: [], learners: [] },
})
const idOf = (name: string): string => createHash('md5').update(name).digest('hex')
const parts = ['one ', 'two two ', 'three', ' and four'].map((text) => Buffer.from(text))
const whole = Buffer.concat(parts)

interface Source {
  readonly stream: SnapshotStream
  readonly asked: StreamPosition[]
  sentBytes: number
}

/** A sender's stream of these chunks, which breaks after `chunksMax` of them. */
function source(
  {
    chunks = parts,
    id = idOf('x'),
    of = meta(9),
  }: {
    readonly chunks?: readonly Buffer[]
    readonly id?: string
    readonly of?: SnapshotMeta
  } = {},
  chunksMax = Infinity,
): Source {
  const bytes = Buffer.concat(chunks)
  async function* from({ offset, checksum }: StreamPosition): AsyncGenerator<Uint8Array> {
    result.asked.push({ offset, checksum })
    expect(crc32(bytes.subarray(0, offset))).toBe(checksum)
    let position = 0
    let sent = 0
    for (const chunk of chunks) {
      const rest = chunk.subarray(Math.min(chunk.length, Math.max(0, offset - position)))
      position += chunk.length
      if (rest.length === 0) continue
      if (sent++ === chunksMax) throw new Error('the stream broke')
      result.sentBytes += rest.length
      yield await Promise.resolve(rest)
    }
    if (sent === chunksMax) throw new Error('the stream broke')
  }
  const result: Source = { stream: { meta: of, id, chunks: from }, asked: [], sentBytes: 0 }
  return result
}

function newDisk(seed = 1): SimDisk {
  const disk = new SimDisk(new SeededRandom(seed))
  disk.makeDirectory(directory)
  disk.syncDirectory('.')
  return disk
}

const open = (disk: SimDisk): Promise<SnapshotStore> =>
  SnapshotStore.open(new SimFileSystem(disk), directory)

async function bytesOf(store: SnapshotStore, of = meta(9)): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of store.chunks(of)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const namesOn = (disk: SimDisk): string[] =>
  disk.paths().map((path) => path.slice(directory.length + 1))

/** Lets `before` have its say at every call; it counts from 1. */
function watched(fileSystem: FileSystem, before: (n: number) => Promise<void> | void): FileSystem {
  let n = 0
  const wrap = <T extends object>(target: T): T =>
    new Proxy(target, {
      get: (object, name) => {
        const value: unknown = Reflect.get(object, name)
        if (typeof value !== 'function') return value
        return async (...rest: unknown[]): Promise<unknown> => {
          await before(++n)
          const answer: unknown = await Reflect.apply(value, object, rest)
          return name === 'open' ? wrap(answer as File) : answer
        }
      },
    })
  return wrap(fileSystem)
}

test('a stream that breaks after any chunk goes on behind it, and no byte is sent twice', async () => {
  for (let first = 0; first <= parts.length; first++) {
    const disk = newDisk()
    const store = await open(disk)
    const broken = source({}, first)
    await expect(store.receive(leader, broken.stream)).rejects.toThrow('the stream broke')
    const again = source()
    await store.receive(leader, again.stream)
    expect(again.asked.map(({ offset }) => offset)).toEqual([broken.sentBytes])
    expect(broken.sentBytes + again.sentBytes).toBe(whole.length)
    expect(await bytesOf(store)).toEqual(whole)
    expect(namesOn(disk)).toEqual([snapshotName(meta(9))])
  }
})

test('a part outlives the process, and only one is kept', async () => {
  const disk = newDisk()
  const broken = source({}, 2)
  await expect((await open(disk)).receive(leader, broken.stream)).rejects.toThrow('broke')
  disk.create(`${directory}/${partName(meta(2), idOf('old'))}`)
  disk.kill()
  const store = await open(disk)
  expect(namesOn(disk)).toHaveLength(1)
  const again = source()
  await store.receive(leader, again.stream)
  expect([again.asked[0]?.offset, await bytesOf(store)]).toEqual([broken.sentBytes, whole])
})

test.each([
  ['of another id', leader, { id: idOf('y') }],
  ['of another member', 'b' as NodeId, {}],
  ['of another index', leader, { of: meta(10) }],
  ['of another term', leader, { of: meta(9, 4) }],
  [
    'of another membership',
    leader,
    { of: { ...meta(9), membership: { ...meta(9).membership, learners: ['c' as NodeId] } } },
  ],
])('a stream %s begins anew, and what was kept goes', async (_name, from, other) => {
  const disk = newDisk()
  const store = await open(disk)
  await expect(store.receive(leader, source({}, 2).stream)).rejects.toThrow('broke')
  const next = source({ chunks: [Buffer.from('other')], ...other })
  await store.receive(from, next.stream)
  expect(next.asked).toEqual([{ offset: 0, checksum: 0 }])
  expect(await bytesOf(store, next.stream.meta)).toEqual(Buffer.from('other'))
  expect(namesOn(disk)).toEqual([snapshotName(next.stream.meta)])
})

test('a stream that cannot go on keeps nothing', async () => {
  const disk = newDisk()
  const store = await open(disk)
  const { stream } = source({}, 2)
  const old = { meta: stream.meta, id: undefined, chunks: stream.chunks }
  await expect(store.receive(leader, old)).rejects.toThrow('broke')
  expect(namesOn(disk)).toEqual([])
})

test('a byte of a part flipped anywhere costs bytes that are sent again, never a wrong snapshot', async () => {
  const disk = newDisk()
  await expect((await open(disk)).receive(leader, source({}, 3).stream)).rejects.toThrow('broke')
  const path = `${directory}/${namesOn(disk)[0] ?? ''}`
  const kept = disk.file(path).read(0, 1_000)
  for (let at = 0; at < kept.length; at++) {
    const other = newDisk()
    const inode = other.create(path)
    inode.write(0, kept)
    inode.flipBit(at, at % 8)
    const store = await open(other)
    const again = source()
    await store.receive(leader, again.stream)
    expect(await bytesOf(store), `at ${at}`).toEqual(whole)
    expect(await store.newest()).toEqual(meta(9))
  }
})

test.each(['ENOSPC', 'EIO'])(
  'a disk that fails with %s at any call refuses the snapshot, keeps nothing, and takes it when it works again',
  async (code) => {
    let failures = 0
    for (let failing = 1; ; failing++) {
      const disk = newDisk()
      const broken = source({}, 1)
      await expect((await open(disk)).receive(leader, broken.stream)).rejects.toThrow('broke')
      let isArmed = false
      let calls = 0
      const fileSystem = watched(new SimFileSystem(disk), () => {
        if (!isArmed || ++calls !== failing) return
        throw Object.assign(new Error(`${code}: no more`), { code })
      })
      const store = await SnapshotStore.open(fileSystem, directory)
      isArmed = true
      const outcome = await store.receive(leader, source().stream).then(
        () => 'stored',
        (error: unknown) => error,
      )
      if (outcome === 'stored') break
      failures++
      expect(outcome).toMatchObject({ code })
      expect(
        namesOn(disk).filter((name) => name.endsWith('.part')),
        `call ${failing}`,
      ).toEqual([])
      await store.receive(leader, source().stream)
      expect(await bytesOf(store)).toEqual(whole)
    }
    expect(failures).toBeGreaterThan(10)
  },
)

test('a crash at any call leaves what the next stream of the same id makes whole', async () => {
  let resumed = 0
  for (let last = 1, isWhole = false; !isWhole; last++) {
    for (let seed = 1; seed <= 3; seed++) {
      const disk = newDisk(seed)
      let calls = 0
      const fileSystem = watched(new SimFileSystem(disk), async () => {
        if (++calls > last) await new Promise<never>(() => {})
      })
      const big = parts.map((part) => Buffer.alloc(3 * 1024 * 1024, part))
      const outcome = (async () => {
        const store = await SnapshotStore.open(fileSystem, directory)
        await store.receive(leader, source({ chunks: big }).stream)
        return true
      })()
      const settled = new Promise<false>((resolve) => {
        setTimeout(resolve, 0, false)
      })
      isWhole = await Promise.race([outcome, settled])
      disk.crash()
      const store = await open(disk)
      const newest = await store.newest()
      if (newest !== undefined) {
        expect(newest).toEqual(meta(9))
        continue
      }
      expect(isWhole).toBe(false)
      const again = source({ chunks: big })
      await store.receive(leader, again.stream)
      if ((again.asked[0]?.offset ?? 0) > 0) resumed++
      const stored = await bytesOf(store)
      expect(stored.equals(Buffer.concat(big)), `call ${last}, seed ${seed}`).toBe(true)
    }
  }
  expect(resumed).toBeGreaterThan(5)
})

test('damaged files are told from the newest one that is whole', async () => {
  const disk = newDisk()
  const store = await open(disk)
  for (const index of [5, 7, 9]) await store.receive(leader, source({ of: meta(index) }).stream)
  for (const index of [7, 9]) disk.file(`${directory}/${snapshotName(meta(index))}`).flipBit(40, 1)
  const found = await (await open(disk)).find()
  expect(found.newest).toEqual(meta(5))
  expect(found.damaged.map(({ name, error }) => [name, error.code])).toEqual([
    [snapshotName(meta(9)), 'CORRUPT'],
    [snapshotName(meta(7)), 'CORRUPT'],
  ])
})
