import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EtcdFileError } from './etcd-file-error.ts'
import { EtcdFile, type ByteSource } from './file-reader.ts'
import { layOutFile, writeFile, type BucketRows, type FileRow } from './file-writer.ts'
import { fnv64a } from './fnv64a.ts'
import { pageSizeBytes } from './page-format.ts'

type Contents = Record<string, readonly (readonly [key: string, value: string])[]>

function bucketsOf(contents: Contents, batch = 7): BucketRows[] {
  return Object.entries(contents)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, rows]) => {
      const sorted = rows
        .map(([key, value]): FileRow => [Buffer.from(key, 'latin1'), Buffer.from(value, 'latin1')])
        .sort(([a], [b]) => Buffer.compare(a, b))
      return {
        name,
        async *rows() {
          for (let at = 0; at < sorted.length; at += batch) {
            yield await Promise.resolve(sorted.slice(at, at + batch))
          }
        },
      }
    })
}

async function fileOf(contents: Contents): Promise<Buffer> {
  const buckets = bucketsOf(contents)
  const layout = await layOutFile(buckets)
  const chunks: Uint8Array[] = []
  for await (const chunk of writeFile(buckets, layout)) chunks.push(chunk)
  const bytes = Buffer.concat(chunks)
  expect(bytes.length).toBe(layout.sizeBytes)
  return bytes
}

const sourceOf = (bytes: Buffer): ByteSource => ({
  sizeBytes: bytes.length,
  read(offset, length) {
    if (offset < 0 || offset + length > bytes.length) throw new Error('read outside of the source')
    return bytes.subarray(offset, offset + length)
  },
})

function contentsOf(bytes: Buffer): Contents {
  const file = EtcdFile.open(sourceOf(bytes))
  const contents: Record<string, [string, string][]> = {}
  for (const bucket of file.buckets()) {
    const rows: [string, string][] = []
    contents[Buffer.from(bucket.name).toString()] = rows
    for (const row of bucket.rows()) {
      const [key, value] = row.map((part) => Buffer.from(part).toString('latin1'))
      rows.push([key ?? '', value ?? ''])
    }
  }
  file.checkFreePages()
  return contents
}

const sorted = (contents: Contents): Contents =>
  Object.fromEntries(
    Object.entries(contents)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, rows]) => [name, [...rows].sort(([a], [b]) => (a < b ? -1 : 1))]),
  )

/** Of random rows, with enough of them in one bucket for branches of branches. */
function manyRows(count: number, valueSize: number): [string, string][] {
  return Array.from({ length: count }, (_, i) => [
    `key ${String(i).padStart(300, '0')}`,
    String(i % 10).repeat(valueSize),
  ])
}

const seed = 20261121
const text = (maxLength: number, minLength = 0): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength, maxLength }).map((bytes) => Buffer.from(bytes).toString('latin1'))
const anyContents = fc
  .dictionary(
    fc.stringMatching(/^[a-z_]{1,12}$/),
    fc.uniqueArray(fc.tuple(text(40, 1), fc.oneof(text(30), text(9000))), {
      maxLength: 60,
      selector: ([key]) => key,
    }),
    { maxKeys: 6 },
  )
  .map((contents) => ({ ...contents }))

test('FNV-1a of known texts', () => {
  expect(fnv64a(Buffer.from(''))).toBe(0xcbf29ce484222325n)
  expect(fnv64a(Buffer.from('a'))).toBe(0xaf63dc4c8601ec8cn)
  expect(fnv64a(Buffer.from('foobar'))).toBe(0x85944171f73967e8n)
})

describe('what is written is read back', () => {
  test('any buckets, empty and inline ones, large values', async () => {
    const property = fc.asyncProperty(anyContents, async (contents) => {
      expect(contentsOf(await fileOf(contents))).toEqual(sorted(contents))
    })
    await fc.assert(property, { seed, numRuns: 60 })
  })

  test('a bucket with branches of branches', async () => {
    const contents = { key: manyRows(2000, 500), meta: [['a', 'b']] as const }
    expect(contentsOf(await fileOf(contents))).toEqual(sorted(contents))
  })

  test('keys as long as the format takes them, and none that is longer', async () => {
    const long = (size: number): Contents => ({
      a: [
        ['k'.repeat(size), 'v'],
        ['z', ''],
      ],
    })
    expect(contentsOf(await fileOf(long(32_768)))).toEqual(sorted(long(32_768)))
    await expect(fileOf(long(32_769))).rejects.toMatchObject({ code: 'TOO_LARGE' })
  })

  test('the size is that of whole pages', async () => {
    const bytes = await fileOf({ key: manyRows(20, 10) })
    expect(bytes.length % pageSizeBytes).toBe(0)
  })
})

describe('a file that is not whole', () => {
  const contents: Contents = { key: manyRows(400, 40), lease: [['id', 'ttl']], meta: [] }

  test('is noticed, or reads as it was, wherever its structure is damaged, and nothing outside of it is read', async () => {
    const whole = await fileOf(contents)
    const expected = contentsOf(whole)
    let noticed = 0
    const property = fc.property(
      fc.nat(whole.length - 1),
      fc.integer({ min: 1, max: 255 }),
      (at, mask) => {
        const bytes = Buffer.from(whole)
        bytes[at] = (bytes[at] ?? 0) ^ mask
        try {
          const found = contentsOf(bytes)
          // A flip in a key or a value is for the checksum behind the file.
          expect(Object.keys(found)).toHaveLength(Object.keys(expected).length)
        } catch (reason) {
          if (!(reason instanceof EtcdFileError)) throw reason
          noticed++
        }
      },
    )
    fc.assert(property, { seed, numRuns: 3000 })
    expect(noticed).toBeGreaterThan(100)
  })

  test('is noticed when its end is missing', async () => {
    const whole = await fileOf(contents)
    for (let size = 0; size < whole.length; size += 512) {
      const open = (): unknown => contentsOf(whole.subarray(0, size))
      expect(open).toThrow(EtcdFileError)
    }
  })

  test('opens by its other meta page when one is damaged, and not when both are', async () => {
    const bytes = await fileOf(contents)
    bytes[40] = 0xff
    expect(contentsOf(bytes)).toEqual(sorted(contents))
    bytes[pageSizeBytes + 40] = 0xff
    expect(() => contentsOf(bytes)).toThrow('invalid database')
  })

  test('whatever bytes it is made of', () => {
    const property = fc.property(fc.uint8Array({ maxLength: 9000 }), (bytes) => {
      expect(() => contentsOf(Buffer.from(bytes))).toThrow(EtcdFileError)
    })
    fc.assert(property, { seed, numRuns: 200 })
  })

  test('with a page that leads back to itself', async () => {
    const bytes = await fileOf({ key: manyRows(400, 40) })
    for (let page = 3; page * pageSizeBytes < bytes.length; page++) {
      const at = page * pageSizeBytes
      if (bytes.readUInt16LE(at + 8) !== 1) continue
      bytes.writeBigUInt64LE(BigInt(page), at + 16 + 8)
      expect(() => contentsOf(bytes)).toThrow(/multiple references|kind/)
      return
    }
    throw new Error('the file has no branch page')
  })
})
