import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { LogFile, parseLogRotation } from './log-file.ts'
import { openLogOutputs } from './log-outputs.ts'
import { createMemberLog } from './member-log.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'balsa-log-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const defaults = '{"maxsize": 100, "maxage": 0, "maxbackups": 0, "localtime": false}'

test('lines are JSON, or words for people, and those below the level are left out', () => {
  const lines: string[] = []
  let level: 'info' | 'debug' = 'info'
  const write = (line: string): void => void lines.push(line)
  const json = createMemberLog({ lowest: () => level, format: 'json', write })
  json('debug', 'unseen')
  json('warn', 'seen', { a: 1 })
  level = 'debug'
  json('debug', 'seen now')
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { level: 'warn', msg: 'seen', a: 1 },
    { level: 'debug', msg: 'seen now' },
  ])
  lines.length = 0
  createMemberLog({ lowest: () => 'info', format: 'console', write })('info', 'hello', { a: 1 })
  expect(lines[0]).toMatch(/^\d{4}-\S+Z\tinfo\thello\t\{"a":1\}\n$/)
})

test('a file is appended to, for its user alone, and opened anew when it was moved away', () => {
  const path = join(folder, 'a.log')
  const outputs = openLogOutputs([path])
  outputs.write('one\n')
  renameSync(path, `${path}.1`)
  outputs.write('two\n')
  outputs.reopen()
  outputs.write('three\n')
  outputs.close()
  expect(readFileSync(`${path}.1`, 'utf8')).toBe('one\ntwo\n')
  expect(readFileSync(path, 'utf8')).toBe('three\n')
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(() => openLogOutputs([join(folder, 'none', 'a.log')])).toThrow('cannot be written')
})

test.each([false, true])(
  'a full file makes way, and the newest old ones stay; compressed: %s',
  async (isCompressed) => {
    const directory = mkdtempSync(join(folder, 'full-'))
    const path = join(directory, 'm.log')
    const rotation = { sizeBytesMax: 10, ageDaysMax: 0, backupsMax: 2, isCompressed }
    const file = new LogFile(path, rotation)
    for (let i = 0; i < 5; i++) {
      file.write(`line ${i}\n`)
      // Their names hold the millisecond.
      const before = Date.now()
      while (Date.now() === before) await new Promise((resolve) => setTimeout(resolve, 1))
    }
    file.close()
    const read = (name: string): string => {
      const bytes = readFileSync(join(directory, name))
      return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()
    }
    const names = readdirSync(directory).sort()
    expect(names.map(read).sort()).toEqual(['line 2\n', 'line 3\n', 'line 4\n'])
    expect(names.filter((name) => name.endsWith('.gz'))).toHaveLength(isCompressed ? 2 : 0)
  },
)

test("rotation is asked for with etcd's JSON, for one file", () => {
  expect(parseLogRotation(defaults)).toEqual({
    sizeBytesMax: 104_857_600,
    ageDaysMax: 0,
    backupsMax: 0,
    isCompressed: false,
  })
  expect(() => parseLogRotation('{')).toThrow('is no JSON')
  expect(() => parseLogRotation('{"maxage":-1}')).toThrow('maxage must be a whole number')
  const two = [join(folder, 'x.log'), join(folder, 'y.log')]
  expect(() => openLogOutputs(two, parseLogRotation(defaults))).toThrow('a single file path')
})
