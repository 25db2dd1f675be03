// Joins the streams of a client with those of a command beside a container, until the command has ended.
import { finished, type Readable, type Writable } from 'node:stream'
import type { CommandStreams } from '../../apiserver/node-connections.ts'
import type { RunSpec, Runtime } from '../runtime/runtime.ts'

/** Resolves to the exit code when all output is passed on. A command whose client goes is killed. */
export async function execCommand(
  runtime: Runtime,
  spec: RunSpec,
  streams: CommandStreams,
): Promise<number> {
  const { stdin, stdout, stderr, tty, signal, onResize } = streams
  const command = await runtime.open({ ...spec, terminal: tty })
  const kill = (): void => command.kill()
  signal.addEventListener('abort', kill)
  if (signal.aborted) kill()
  onResize((size) => command.resize(size))
  if (stdin !== undefined) stdin.pipe(command.stdin)
  // A terminal whose input ends would tell its program so.
  else if (!tty) command.stdin.end()
  const outputs = [passOn(command.stdout, stdout), passOn(command.stderr, stderr)]
  try {
    const exitCode = await command.exited
    await Promise.all(outputs)
    return exitCode
  } finally {
    signal.removeEventListener('abort', kill)
    stdin?.unpipe(command.stdin)
  }
}

async function passOn(output: Readable, client: Writable | undefined): Promise<void> {
  if (client === undefined) output.resume()
  else output.pipe(client, { end: false })
  // Cut off when the command has ended and something else holds its output: what came by then is passed on.
  await new Promise<void>((resolve) => {
    finished(output, () => resolve())
  })
}
