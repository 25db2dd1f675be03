// Where the code of the `balsa` command comes from: the bundle where it is up to date, else the modules it was made of.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { run } from './balsa-process.ts'
import { balsaMain } from './tools.ts'

const folder = mkdtempSync(join(tmpdir(), 'balsa-bundle-'))
const record = join(folder, 'pure.tsbuildinfo')
const madeAfter = join(folder, 'bundle/made-after.json')

async function source(): Promise<string> {
  const { code, stdout, stderr } = await run(process.execPath, [join(folder, 'cli/main.js')])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout.trim()
}

beforeAll(() => {
  for (const part of ['cli', 'bundle']) mkdirSync(join(folder, part))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  copyFileSync(balsaMain, join(folder, 'cli/main.js'))
  writeFileSync(join(folder, 'cli/balsa-command.js'), 'process.stdout.write("modules")')
  writeFileSync(join(folder, 'bundle/balsa-command.js'), 'process.stdout.write("bundle")')
})

beforeEach(() => {
  writeFileSync(record, 'built')
  writeFileSync(
    madeAfter,
    JSON.stringify({ '../pure.tsbuildinfo': statSync(record).mtimeMs, '../none.tsbuildinfo': 1 }),
  )
})

afterAll(() => rmSync(folder, { recursive: true }))

test('the bundle of this build is taken, records that are not there say nothing against it', async () => {
  expect(await source()).toBe('bundle')
})

test('after another build the modules are taken', async () => {
  writeFileSync(madeAfter, JSON.stringify({ '../pure.tsbuildinfo': 1 }))
  expect(await source()).toBe('modules')
})

test('where there is no bundle the modules are taken', async () => {
  rmSync(madeAfter)
  expect(await source()).toBe('modules')
})
