import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ProcessRuntime } from './process-runtime.ts'
import type { Run, RunSpec } from './runtime.ts'

/** A busy machine starts programs late. */
const patience = { timeout: 10_000 }

let dir = ''
const runs: Run[] = []
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'balsa-runtime-'))
})
afterEach(async () => {
  for (const run of runs.splice(0)) run.signal('SIGKILL')
  await rm(dir, { recursive: true, force: true })
})

const runtime = new ProcessRuntime()
const spec = (argv: readonly string[], env: Record<string, string> = {}): RunSpec => ({
  runDir: join(dir, 'run'),
  argv,
  env: { PATH: process.env['PATH'] ?? '', ...env },
  cwd: dir,
})
const start = async (argv: readonly string[], env?: Record<string, string>): Promise<Run> => {
  const run = await runtime.start(spec(argv, env))
  runs.push(run)
  return run
}
const output = (name: 'stdout' | 'stderr'): Promise<string> =>
  readFile(join(dir, 'run', name), 'utf8')
/** A zombie that nobody reaped has no command line. */
const isAlive = (pid: number): boolean =>
  existsSync(`/proc/${pid}`) && readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== ''

test('a run ends with the exit code of its program and leaves its output in files', async () => {
  const run = await start(['sh', '-c', `echo out "it's"; echo err >&2; exit 7`])
  expect((await run.exited).exitCode).toBe(7)
  expect([await output('stdout'), await output('stderr')]).toEqual([`out it's\n`, 'err\n'])
})

test('a signal to the run reaches the program, which ends with 128 + n, and nothing is added to its output', async () => {
  const run = await start(['sh', '-c', 'echo ready; exec sleep 60'])
  await vi.waitFor(async () => expect(await output('stdout')).toBe('ready\n'), patience)
  run.signal('SIGTERM')
  expect((await run.exited).exitCode).toBe(143)
  expect(await output('stderr')).toBe('')
})

test('a program that handles SIGTERM chooses its own exit code', async () => {
  const run = await start([
    'sh',
    '-c',
    'trap "exit 3" TERM; echo ready; while :; do sleep 0.05; done',
  ])
  await vi.waitFor(async () => expect(await output('stdout')).toBe('ready\n'), patience)
  run.signal('SIGTERM')
  expect((await run.exited).exitCode).toBe(3)
})

test('when the program was killed with -9 the run ends with 137', async () => {
  const run = await start(['sh', '-c', 'echo $$; exec sleep 60'])
  await vi.waitFor(async () => expect(await output('stdout')).toMatch(/^\d+\n$/), patience)
  process.kill(Number(await output('stdout')), 'SIGKILL')
  expect((await run.exited).exitCode).toBe(137)
})

test('what the program left behind in its group ends with it', async () => {
  const run = await start(['sh', '-c', 'sleep 60 & echo $!'])
  expect((await run.exited).exitCode).toBe(0)
  const child = Number(await output('stdout'))
  await vi.waitFor(() => expect(isAlive(child)).toBe(false), patience)
})

test.skipIf(!existsSync('/proc'))(
  'what left its group ends with the run too, also when the agent was away at the end',
  async () => {
    const script = 'setsid sleep 60 & echo $!; while [ ! -e gate ]; do sleep 0.05; done'
    const leaver = async (): Promise<number> => {
      await vi.waitFor(async () => expect(await output('stdout')).toMatch(/^\d+\n$/), patience)
      const pid = Number(await output('stdout'))
      await vi.waitFor(
        () => expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).toMatch(/^sleep/),
        patience,
      )
      return pid
    }
    const run = await start(['sh', '-c', script])
    const first = await leaver()
    run.signal('SIGTERM')
    await run.exited
    expect(isAlive(first)).toBe(false)
    await rm(join(dir, 'run'), { recursive: true })
    const unseen = await start(['sh', '-c', script])
    const second = await leaver()
    unseen.detach()
    process.kill(-unseen.pid, 'SIGKILL')
    await vi.waitFor(() => expect(isAlive(unseen.pid)).toBe(false), patience)
    expect(isAlive(second)).toBe(true)
    expect(await runtime.find(join(dir, 'run'))).toMatchObject({ exitCode: 137 })
    expect(isAlive(second)).toBe(false)
  },
)

test('when the keeping shell is killed the program goes too', async () => {
  const run = await start(['sh', '-c', 'echo $$; exec sleep 60'])
  await vi.waitFor(async () => expect(await output('stdout')).toMatch(/^\d+\n$/), patience)
  process.kill(run.pid, 'SIGKILL')
  expect((await run.exited).exitCode).toBe(137)
  const child = Number(await output('stdout'))
  await vi.waitFor(() => expect(isAlive(child)).toBe(false), patience)
})

test('a run is found again by its folder, running or ended', async () => {
  const run = await start(['sh', '-c', 'while [ ! -e gate ]; do sleep 0.05; done; exit 5'])
  run.detach()
  const found = await runtime.find(join(dir, 'run'))
  if (typeof found === 'string' || !('pid' in found)) throw new Error('the run was not found')
  expect(found.pid).toBe(run.pid)
  await writeFile(join(dir, 'gate'), '')
  expect((await found.exited).exitCode).toBe(5)
  expect(await runtime.find(join(dir, 'run'))).toMatchObject({ exitCode: 5 })
})

test('a folder without a run was never started', async () => {
  expect(await runtime.find(join(dir, 'nothing'))).toBe('neverStarted')
})

test('a missing program is refused before anything is started', async () => {
  await expect(start(['no-such-program'])).rejects.toThrow(
    'exec: "no-such-program": executable file not found in $PATH',
  )
  await expect(start(['./missing'])).rejects.toThrow('no such file or directory')
})

test('environment names that a shell cannot carry reach the program', async () => {
  const run = await start(['env'], { 'my.name-x': `a 'quoted' value`, PLAIN: '1' })
  await run.exited
  expect(await output('stdout')).toContain(`my.name-x=a 'quoted' value\n`)
  expect(await output('stdout')).toContain('PLAIN=1\n')
})

test('a command beside the container is killed when it takes too long', async () => {
  const rest = spec(['sh', '-c', 'echo partial; sleep 60'])
  expect(await runtime.execute(rest, 300)).toEqual({
    exitCode: 137,
    output: 'partial\n',
    isTimedOut: true,
  })
  expect(await runtime.execute({ ...rest, argv: ['sh', '-c', 'exit 4'] }, 10_000)).toMatchObject({
    exitCode: 4,
  })
})

test('a command on a terminal sees its size, and its exit code comes back', async () => {
  const script = 'while read line; do [ "$(stty size)" = "31 91" ] && exit 6; done'
  const command = await runtime.open({ ...spec(['sh', '-c', script]), terminal: true })
  command.stdout.resume()
  command.stderr.resume()
  let exitCode: number | undefined
  const ended = command.exited.then((code) => (exitCode = code))
  command.resize({ columns: 1, rows: 1 })
  command.resize({ columns: 91, rows: 31 })
  await vi.waitFor(
    () => {
      command.stdin.write('\n')
      expect(exitCode).toBe(6)
    },
    { timeout: 10_000, interval: 50 },
  )
  await ended
})

test('a command gives all its output to a reader that is slow, and none that it left behind holds it up', async () => {
  const command = await runtime.open(
    spec(['sh', '-c', 'sleep 5 & head -c 1000000 /dev/zero; exit 2']),
  )
  command.stdin.end()
  command.stderr.resume()
  let size = 0
  command.stdout.on('data', (chunk: Buffer) => {
    size += chunk.length
    command.stdout.pause()
    setImmediate(() => command.stdout.resume())
  })
  expect(await command.exited).toBe(2)
  expect(size).toBe(1_000_000)
})

test('input for one client ends with it, and open input outlasts the agent', async () => {
  const once = await runtime.start({ ...spec(['cat']), input: 'once' })
  runs.push(once)
  once.input?.writer.write('typed')
  once.input?.close()
  expect((await once.exited).exitCode).toBe(0)
  expect(await output('stdout')).toBe('typed')
  // The pipe is there still, as after an agent that died right before the start.
  for (const name of ['pid', 'exit', 'stdout']) await rm(join(dir, 'run', name))
  const open = await runtime.start({ ...spec(['sh', '-c', 'read a; exit $a']), input: 'open' })
  runs.push(open)
  open.detach()
  const found = await runtime.find(join(dir, 'run'))
  if (typeof found === 'string' || !('pid' in found)) throw new Error('the run was not found')
  found.input?.writer.write('9\n')
  expect((await found.exited).exitCode).toBe(9)
})
