// The reader of tar archives: pieces of any size tell the same, and what is no archive throws.
import * as fc from 'fast-check'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { tarFiles } from './tar-files.ts'
import { TarReader } from './tar-reader.ts'

/** What is told of an archive in pieces of `size` bytes. */
const read = (archive: Buffer, size: number): readonly string[] => {
  const told: string[] = []
  const reader = new TarReader({
    begin: ({ name, type }) => told.push(`${type} ${name} `),
    data: (bytes) => (told[told.length - 1] += bytes.toString('latin1')),
    end: () => told.push('end'),
  })
  for (let at = 0; at < archive.length; at += size) reader.push(archive.subarray(at, at + size))
  return told
}

test('an archive is read the same in pieces of any size, and a damaged one is refused', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'balsa-tar-'))
  try {
    const long = 'n'.repeat(120)
    writeFileSync(join(folder, long), 'x'.repeat(700))
    writeFileSync(join(folder, 'empty'), '')
    const pieces: Buffer[] = []
    for await (const piece of tarFiles(folder, 'top')) pieces.push(piece)
    const archive = Buffer.concat(pieces)
    const expected = ['file top/empty ', 'end', `file top/${long} ${'x'.repeat(700)}`, 'end']
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), (size) => {
        expect(read(archive, size)).toEqual(expected)
      }),
      { seed: 7, numRuns: 50 },
    )
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 512, maxLength: 512 }), (bytes) => {
        const block = Buffer.from(bytes)
        block[0] = 1
        block.write('77777777', 148, 'latin1')
        expect(() => read(block, 512)).toThrow('tar contents corrupted')
      }),
      { seed: 7, numRuns: 50 },
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
