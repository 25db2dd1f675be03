// The saved index beside real tables: it is there after a reopening, the newest only, and gone with the rows it spoke of.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LevelBackend } from './level-backend.ts'

let directory = ''
let backend: LevelBackend
const never = new AbortController().signal

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'balsa-index-'))
  backend = await LevelBackend.open(directory)
})
afterEach(async () => {
  await backend.close()
  await rm(directory, { recursive: true, force: true })
})

const chunks = (text: string): Buffer[] =>
  text.split('').map((char) => Buffer.from(char.repeat(1000)))

async function loaded(): Promise<string | undefined> {
  const found = backend.loadIndex()
  if (found === undefined) return undefined
  let text = ''
  for await (const chunk of found) text += Buffer.from(chunk).toString()[0]
  return text
}

async function reopen(): Promise<void> {
  await backend.close()
  backend = await LevelBackend.open(directory)
}

const files = async (): Promise<string[]> =>
  (await readdir(directory)).filter((name) => name.startsWith('index-'))

test('the last saved index is there after a reopening, and no other file', async () => {
  expect(await loaded()).toBeUndefined()
  backend.put('krow', Buffer.from('1'))
  expect(await backend.saveIndex(chunks('abc'), never)).toBe(true)
  expect(await backend.saveIndex(chunks('de'), never)).toBe(true)
  await writeFile(join(directory, 'index-99'), 'of a save that was cut short')
  await reopen()
  expect(await loaded()).toBe('de')
  expect(await files()).toHaveLength(1)
})

test('a save that is given up leaves the one before', async () => {
  await backend.saveIndex(chunks('ab'), never)
  const given = new AbortController()
  function* broken(): Generator<Uint8Array> {
    yield* chunks('cd')
    given.abort()
    yield* chunks('ef')
  }
  expect(await backend.saveIndex(broken(), given.signal)).toBe(false)
  expect(await loaded()).toBe('ab')
  expect(await files()).toHaveLength(1)
})

test('the index goes with the rows it speaks of, also if it is being saved', async () => {
  await backend.saveIndex(chunks('ab'), never)
  const rows = async function* (): AsyncIterable<[]> {
    yield await Promise.resolve([])
  }
  const saving = backend.saveIndex(chunks('cd'), never)
  const replaced = backend.replace(rows())
  await Promise.all([saving, replaced])
  await reopen()
  expect(await loaded()).toBeUndefined()
  expect(await files()).toEqual([])
})

test('a damaged byte or a missing end is noticed', async () => {
  await backend.saveIndex(chunks('abc'), never)
  const [name = ''] = await files()
  const path = join(directory, name)
  const good = await readFile(path)
  for (const at of [0, 5, 700, good.length - 1]) {
    const bad = Buffer.from(good)
    bad[at] = (bad[at] ?? 0) ^ 0x40
    await writeFile(path, bad)
    await expect(loaded()).rejects.toMatchObject({ code: 'CORRUPT' })
  }
  await writeFile(path, good.subarray(0, good.length - 3))
  await expect(loaded()).rejects.toMatchObject({ code: 'CORRUPT' })
})
