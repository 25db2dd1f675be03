// `balsa logs`: what a container wrote; of a Deployment or ReplicaSet, what one of its pods wrote.
import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import { objectPath } from '../client/http-api-client.ts'
import { ApiSession } from './api-session.ts'
import type { SessionOptions } from './api-session.ts'
import { findPod, podsRef } from './find-pod.ts'
import { runVerb } from './verb-failure.ts'

interface LogsOptions extends SessionOptions {
  readonly follow?: boolean
  readonly container?: string
  readonly tail?: number
  readonly previous?: boolean
  readonly timestamps?: boolean
  readonly since?: number
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 }

export const registerLogsCommand = (
  program: Command,
  withSession: (command: Command) => Command,
): void => {
  withSession(program.command('logs'))
    .description('show what a container wrote')
    .argument('<pod>', 'POD, or RESOURCE/NAME')
    .argument('[container]', 'which container, where there are several')
    .option('-f, --follow', 'go on as it writes more')
    .option('-c, --container <name>', 'which container, where there are several')
    .option('--tail <lines>', 'only the last lines', parseCount)
    .option('-p, --previous', 'of the instance that ran before')
    .option('--timestamps', 'with the time before each line')
    .option('--since <duration>', 'only what is newer, e.g. 5s, 2m, 3h', parseDuration)
    .action((pod: string, container: string | undefined, options: LogsOptions) =>
      runVerb(() => logs(pod, { ...(container === undefined ? {} : { container }), ...options })),
    )
}

const parseCount = (text: string): number => {
  const count = Number(text)
  if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(count)) {
    throw new InvalidArgumentError('a whole number of lines')
  }
  return count
}

const parseDuration = (text: string): number => {
  const [, count = '', unit = ''] = /^(\d+)([smh])$/.exec(text) ?? []
  const seconds = Number(count) * (unitSeconds[unit] ?? 0)
  if (seconds <= 0) throw new InvalidArgumentError('a duration such as 5s, 2m or 3h')
  return seconds
}

const logs = async (word: string, options: LogsOptions): Promise<void> => {
  using session = new ApiSession(options)
  const pod = await findPod(session, word)
  await new Promise<void>((resolve, reject) => {
    session.transport.stream(
      {
        method: 'GET',
        path: objectPath(podsRef, session.namespace, pod, 'log'),
        accept: '*/*',
        query: {
          container: options.container,
          follow: options.follow,
          previous: options.previous,
          timestamps: options.timestamps,
          sinceSeconds: options.since,
          tailLines: options.tail === undefined || options.tail < 0 ? undefined : options.tail,
        },
      },
      'chunk',
      {
        text: (text) => process.stdout.write(text),
        ended: (error) => (error === undefined ? resolve() : reject(error)),
      },
    )
  })
}
