import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { runTranscript } from './testing/transcript.ts'

const folder = fileURLToPath(new URL('./testing/transcripts', import.meta.url))
const files = readdirSync(folder).filter((name) => name.endsWith('.txt'))
const isUpdate = process.env['UPDATE_TRANSCRIPTS'] !== undefined

// What changed on purpose is written anew by UPDATE_TRANSCRIPTS=1 npx vitest run packages/raft/src/core/transcripts.test.ts, and then read.
test.each(files)('%s goes as it is written down', (name) => {
  const path = join(folder, name)
  const written = readFileSync(path, 'utf8')
  const now = runTranscript(written)
  if (isUpdate) writeFileSync(path, now)
  else expect(now).toBe(written)
})

test.each(files)('%s says what it shows and has something to show', (name) => {
  const text = readFileSync(join(folder, name), 'utf8')
  expect(text).toMatch(/^# /)
  expect(text).toMatch(/^ {2}\S/m)
})

test('the page on transcripts lists every one of them', () => {
  const page = readFileSync(new URL('../../docs/transcripts.md', import.meta.url), 'utf8')
  const listed = [...page.matchAll(/^\| `([a-z0-9-]+)` \| /gm)].map((match) => `${match[1]}.txt`)
  expect(listed.toSorted()).toEqual(files.toSorted())
})

test('a command that does not exist is an error, at the line where it stands', () => {
  expect(() => runTranscript('> cluster a\n> dance a\n')).toThrow('At "> dance a"')
})

test('what a command gives is written below it, in place of what stood there', () => {
  const written = '# one\n> cluster a\n> campaign a\n  something old\n'
  expect(runTranscript(written)).toBe(
    '# one\n> cluster a\n> campaign a\n  a is candidate, term 1\n',
  )
})
