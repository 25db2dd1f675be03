// A program in a container, and our streams tied to its own, until one of them ends.
import type { Readable, Writable } from 'node:stream'
import { objectPath } from '../client/http-api-client.ts'
import type { ApiSession } from './api-session.ts'
import { podsRef } from './find-pod.ts'
import { channels, exitCodeOf, PodStream } from './pod-stream.ts'

export interface Streams {
  readonly input: Readable | undefined
  readonly output: Writable
  readonly errors: Writable
}
export interface PodCommand {
  readonly namespace: string
  readonly pod: string
  readonly container?: string | undefined
  /** undefined: attach to what runs already. */
  readonly command: readonly string[] | undefined
  readonly isTerminal: boolean
}

/** The exit code of the program. Rejects where the server refuses, or one of our streams fails. */
export const runInPod = async (
  session: ApiSession,
  task: PodCommand,
  { input, output, errors }: Streams,
): Promise<number> => {
  const { namespace, pod, container, command, isTerminal } = task
  const status: Buffer[] = []
  const failures: Error[] = []
  let opened: PodStream | undefined
  const fail = (reason: Error): void => {
    failures.push(reason)
    opened?.close()
  }
  const own = input === undefined ? [output] : [output, input]
  for (const stream of own) stream.on('error', fail)
  try {
    opened = await PodStream.open(session, {
      path: objectPath(podsRef, namespace, pod, command === undefined ? 'attach' : 'exec'),
      query: [
        ...(command ?? []).map((word) => ['command', word] as const),
        ...(container === undefined ? [] : [['container', container] as const]),
        ['stdout', 'true'],
        ...(isTerminal ? [['tty', 'true'] as const] : [['stderr', 'true'] as const]),
        ...(input === undefined ? [] : [['stdin', 'true'] as const]),
      ],
      onData: (channel, bytes) => {
        if (channel === channels.output) output.write(bytes)
        else if (channel === channels.errors) errors.write(bytes)
        else if (channel === channels.status) status.push(bytes)
      },
    })
    if (failures.length > 0) opened.close()
    const stop = pass(opened, input, isTerminal)
    await opened.closed
    stop()
  } finally {
    for (const stream of own) stream.off('error', fail)
  }
  const [failure] = failures
  if (failure !== undefined) throw failure
  const text = Buffer.concat(status).toString('utf8')
  if (text === '') throw new Error('the connection ended before the command did')
  const { code, message } = exitCodeOf(text)
  if (code === undefined) throw new Error(message)
  return code
}

/** Its exit code becomes ours, as kubectl tells it. */
export const endWith = (code: number): void => {
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
