// `balsa exec` and `attach`: a command in a running container, and what it writes from now on.
import type { Readable, Writable } from 'node:stream'
import type { Command } from 'commander'
import { objectPath } from '../client/http-api-client.ts'
import { ApiSession, type SessionOptions } from './api-session.ts'
import { findPod, podsRef } from './find-pod.ts'
import { channels, exitCodeOf, PodStream } from './pod-stream.ts'
import { runVerb } from './verb-failure.ts'

interface StreamFlags extends SessionOptions {
  readonly container?: string
  readonly stdin?: boolean
  readonly tty?: boolean
}
interface Streams {
  readonly input: Readable | undefined
  readonly output: Writable
  readonly errors: Writable
}

export const registerExecCommand = (
  program: Command,
  withSession: (command: Command) => Command,
): void => {
  const container = '-c, --container <name>'
  const which = 'which container, where there are several'
  const withStreams = (command: Command): Command =>
    withSession(command)
      .option(container, which)
      .option('-i, --stdin', 'pass standard input on')
      .option('-t, --tty', 'in a terminal')
  withStreams(program.command('exec'))
    .description('run a command in a container')
    .argument('<pod>', 'POD, or RESOURCE/NAME')
    .argument('<command...>', 'after --')
    .action((pod: string, command: string[], flags: StreamFlags) =>
      runVerb(async () => {
        using session = new ApiSession(flags)
        const asked = command.map((word) => ['command', word] as const)
        await stream(session, { pod, part: 'exec', flags, query: asked }, standardStreams(flags))
      }),
    )
  withStreams(program.command('attach'))
    .description('show what a container writes from now on')
    .argument('<pod>', 'POD, or RESOURCE/NAME')
    .action((pod: string, flags: StreamFlags) =>
      runVerb(async () => {
        using session = new ApiSession(flags)
        await stream(session, { pod, part: 'attach', flags, query: [] }, standardStreams(flags))
      }),
    )
}

const standardStreams = ({ stdin }: StreamFlags): Streams => ({
  input: stdin === true ? process.stdin : undefined,
  output: process.stdout,
  errors: process.stderr,
})

interface Task {
  readonly pod: string
  readonly part: 'exec' | 'attach'
  readonly flags: StreamFlags
  readonly query: readonly (readonly [string, string])[]
}

/** Until the program ends; its exit code becomes ours. */
const stream = async (session: ApiSession, task: Task, streams: Streams): Promise<void> => {
  const { pod, part, flags, query } = task
  const name = await findPod(session, pod)
  const isTerminal = flags.tty === true
  const status: Buffer[] = []
  const opened = await PodStream.open(session, {
    path: objectPath(podsRef, session.namespace, name, part),
    query: [
      ...query,
      ...(flags.container === undefined ? [] : [['container', flags.container] as const]),
      ['stdout', 'true'],
      ...(isTerminal ? [['tty', 'true'] as const] : [['stderr', 'true'] as const]),
      ...(streams.input === undefined ? [] : [['stdin', 'true'] as const]),
    ],
    onData: (channel, bytes) => {
      if (channel === channels.output) streams.output.write(bytes)
      else if (channel === channels.errors) streams.errors.write(bytes)
      else if (channel === channels.status) status.push(bytes)
    },
  })
  const stop = pass(opened, streams.input, isTerminal)
  await opened.closed
  stop()
  const text = Buffer.concat(status).toString('utf8')
  if (text === '') throw new Error('the connection ended before the command did')
  const { code, message } = exitCodeOf(text)
  if (code === undefined) throw new Error(message)
  if (code === 0) return
  process.stderr.write(`command terminated with exit code ${code}\n`)
  process.exitCode = code
}

/** What comes in goes to the program, and with a terminal its size. Returns how to stop. */
const pass = (
  opened: PodStream,
  input: Readable | undefined,
  isTerminal: boolean,
): (() => void) => {
  if (input === undefined) return () => undefined
  const isRaw = isTerminal && process.stdin.isTTY
  const sendSize = (): void => {
    const { columns: Width, rows: Height } = process.stdout
    void opened.send(channels.size, Buffer.from(JSON.stringify({ Width, Height })))
  }
  if (isRaw) {
    process.stdin.setRawMode(true)
    process.stdout.on('resize', sendSize)
    sendSize()
  }
  const onData = (chunk: Buffer): void => {
    input.pause()
    void opened.send(channels.input, Buffer.from(chunk)).then(() => input.resume())
  }
  input.on('data', onData)
  input.once('end', () => opened.end(channels.input))
  return () => {
    input.off('data', onData).pause()
    process.stdout.off('resize', sendSize)
    if (isRaw) process.stdin.setRawMode(false)
  }
}
