// `balsa exec` and `attach`: a command in a running container, and what it writes from now on.
import type { Command } from 'commander'
import { ApiSession, type SessionOptions } from './api-session.ts'
import { findPod } from './find-pod.ts'
import { endWith, runInPod, type Streams } from './pod-command.ts'
import { runVerb } from './verb-failure.ts'

interface StreamFlags extends SessionOptions {
  readonly container?: string
  readonly stdin?: boolean
  readonly tty?: boolean
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
      runVerb(() => stream(flags, pod, command)),
    )
  withStreams(program.command('attach'))
    .description('show what a container writes from now on')
    .argument('<pod>', 'POD, or RESOURCE/NAME')
    .action((pod: string, flags: StreamFlags) => runVerb(() => stream(flags, pod, undefined)))
}

const standardStreams = ({ stdin }: StreamFlags): Streams => ({
  input: stdin === true ? process.stdin : undefined,
  output: process.stdout,
  errors: process.stderr,
})

/** Until the program ends; its exit code becomes ours. */
const stream = async (
  flags: StreamFlags,
  word: string,
  command: readonly string[] | undefined,
): Promise<void> => {
  using session = new ApiSession(flags)
  const pod = await findPod(session, word)
  const { container, tty } = flags
  const { namespace } = session
  const task = { namespace, pod, container, command, isTerminal: tty === true }
  endWith(await runInPod(session, task, standardStreams(flags)))
}
