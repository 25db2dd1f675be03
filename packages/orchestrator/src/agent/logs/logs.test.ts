import {
  appendFile,
  mkdtemp,
  readFile,
  readdir,
  rm,
  stat,
  writeFile,
  mkdir,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readLog, type LogGrowth, type LogReadOptions } from './log-reader.ts'
import { LogWriter } from './log-writer.ts'

let dir = ''
let runDir = ''
let logPath = ''
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'balsa-logs-'))
  runDir = join(dir, 'run')
  logPath = join(dir, 'logs', '0.log')
  await mkdir(runDir)
})
afterEach(() => rm(dir, { recursive: true, force: true }))

const write = (text: string, stream = 'stdout'): Promise<void> =>
  appendFile(join(runDir, stream), text)
const read = async (
  options: Partial<LogReadOptions> = {},
  growth?: LogGrowth,
  signal = new AbortController().signal,
): Promise<string> => {
  const chunks: Uint8Array[] = []
  const all = {
    follow: false,
    timestamps: false,
    tailLines: undefined,
    sinceMs: undefined,
    limitBytes: undefined,
    ...options,
  }
  for await (const chunk of readLog(logPath, all, growth, signal)) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

test('lines of both streams are stored in CRI format and read back as they were', async () => {
  const writer = await LogWriter.open({ runDir, logPath })
  await write('one\ntwo\nthr')
  await write('bad\n', 'stderr')
  await writer.pump()
  await write('ee\nlast')
  await writer.finish()
  const lines = (await readFile(logPath, 'utf8')).split('\n')
  expect(lines.map((line) => line.replace(/^\S+Z /, ''))).toEqual([
    'stdout F one',
    'stdout F two',
    'stderr F bad',
    'stdout F three',
    'stdout F last',
    '',
  ])
  expect(await read()).toBe('one\ntwo\nbad\nthree\nlast\n')
})

test('a line longer than 16 KiB is stored in parts and read back as one', async () => {
  const writer = await LogWriter.open({ runDir, logPath })
  const long = 'x'.repeat(40_000)
  await write(`${long}\nshort\n`)
  await writer.finish()
  expect(await read()).toBe(`${long}\nshort\n`)
  expect((await readFile(logPath, 'utf8')).split('\n').map((line) => line.split(' ')[2])).toEqual([
    'P',
    'P',
    'F',
    'F',
    undefined,
  ])
})

test('another writer goes on where the first stopped', async () => {
  const first = await LogWriter.open({ runDir, logPath })
  await write('one\ntw')
  await first.pump()
  await first.close()
  await write('o\nthree\n')
  const second = await LogWriter.open({ runDir, logPath })
  await second.finish()
  expect(await read()).toBe('one\ntwo\nthree\n')
})

test('a full log is rotated, five files are kept, and a tail reaches into older ones', async () => {
  const writer = await LogWriter.open({ runDir, logPath, logBytesMax: 100 })
  for (let number = 0; number < 40; number++) {
    await write(`line ${number}\n`)
    await writer.pump()
  }
  await writer.finish()
  expect((await readdir(join(dir, 'logs'))).sort()).toEqual([
    '0.log',
    '0.log.1',
    '0.log.2',
    '0.log.3',
    '0.log.4',
  ])
  expect(await read({ tailLines: 5 })).toBe('line 35\nline 36\nline 37\nline 38\nline 39\n')
  expect(await read({ tailLines: 0 })).toBe('')
  expect(await read({ tailLines: 1000 })).toBe(await read())
})

test('the raw file is emptied once it is large and all of it was moved', async () => {
  const writer = await LogWriter.open({ runDir, logPath, rawBytesMax: 10 })
  await write('0123456789\n')
  await writer.pump()
  expect((await stat(join(runDir, 'stdout'))).size).toBe(0)
  await write('next\n')
  await writer.finish()
  expect(await read()).toBe('0123456789\nnext\n')
})

test('reading can be limited to bytes, to lines since a time, and be stamped', async () => {
  await mkdir(join(dir, 'logs'))
  await writeFile(
    logPath,
    '2026-01-01T00:00:00.000Z stdout F old\nbroken\n2026-01-02T00:00:00.000Z stderr F new\n',
  )
  expect(await read({ limitBytes: 5 })).toBe('old\nn')
  expect(await read({ sinceMs: Date.parse('2026-01-01T12:00:00Z') })).toBe('new\n')
  expect(await read({ timestamps: true, tailLines: 1 })).toBe('2026-01-02T00:00:00.000Z new\n')
})

test('following shows what comes, across a rotation, and ends with the run', async () => {
  const writer = await LogWriter.open({ runDir, logPath, logBytesMax: 60 })
  await write('one\n')
  await writer.pump()
  const followed = read({ follow: true }, writer)
  for (const line of ['two', 'three', 'four', 'five']) {
    await write(`${line}\n`)
    await writer.pump()
  }
  await writer.finish()
  expect(await followed).toBe('one\ntwo\nthree\nfour\nfive\n')
})

test('a reader that was away while the log was rotated twice misses nothing', async () => {
  const writer = await LogWriter.open({ runDir, logPath, logBytesMax: 60 })
  await write('one\n')
  await writer.pump()
  const reader = readLog(
    logPath,
    {
      follow: true,
      timestamps: false,
      tailLines: undefined,
      sinceMs: undefined,
      limitBytes: undefined,
    },
    writer,
    new AbortController().signal,
  )
  let text = Buffer.from((await reader.next()).value ?? []).toString()
  for (const line of ['two', 'three', 'four', 'five', 'six']) {
    await write(`${line}\n`)
    await writer.pump()
  }
  await writer.finish()
  for await (const chunk of reader) text += Buffer.from(chunk).toString()
  expect(text).toBe('one\ntwo\nthree\nfour\nfive\nsix\n')
})

test('a reader that is sent away stops following', async () => {
  const writer = await LogWriter.open({ runDir, logPath })
  await write('one\n')
  await writer.pump()
  const abort = new AbortController()
  const followed = read({ follow: true }, writer, abort.signal)
  abort.abort()
  await followed
  await writer.close()
  expect(abort.signal.aborted).toBe(true)
})
