// Makes a fresh clone runnable and does nothing when nothing changed: installs when node_modules does not match
// package-lock.json, builds when a source is newer than the last build. Plain Node, because nothing is installed yet.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    `balsa needs Node.js 20.19 or newer, this is ${process.version}: install a newer Node.js\n`,
  )
  process.exit(1)
}

const run = (label, command, args) => {
  process.stderr.write(`balsa: ${label}\n`)
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })
  if (result.status === 0) return
  process.stderr.write(
    `${result.stdout ?? ''}${result.stderr ?? ''}${result.error?.message ?? ''}\nbalsa: ${label} failed\n`,
  )
  process.exit(1)
}

const lock = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex')
const stamp = join(root, 'node_modules', '.balsa-lock')
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
  run('installing dependencies (npm ci)', 'npm', ['ci', '--no-audit', '--no-fund'])
  writeFileSync(stamp, lock)
}

/** The newest modification time below a folder; dist and node_modules do not count. */
const newest = (path) => {
  const stat = statSync(path)
  if (!stat.isDirectory()) return stat.mtimeMs
  let time = 0
  for (const name of readdirSync(path)) {
    if (name !== 'dist' && name !== 'node_modules') time = Math.max(time, newest(join(path, name)))
  }
  return time
}
const built = join(root, 'node_modules', '.balsa-built')
const sources = [
  join(root, 'packages'),
  join(root, 'tsconfig.json'),
  join(root, 'tsconfig.base.json'),
  join(root, 'scripts', 'bundle.mjs'),
  stamp,
]
const complete = [
  'raft/dist/index.js',
  'kv/dist/index.js',
  'orchestrator/dist/index.js',
  'orchestrator/dist/bundle/made-after.json',
].every((path) => existsSync(join(root, 'packages', path)))
const newestSource = Math.max(...sources.map(newest))
if (!complete || !existsSync(built) || Number(readFileSync(built, 'utf8')) !== newestSource) {
  run('building (tsc -b)', process.execPath, [
    join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
    '-b',
  ])
  run('bundling', process.execPath, [join(root, 'scripts', 'bundle.mjs')])
  writeFileSync(built, String(newestSource))
}
