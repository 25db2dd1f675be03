// `balsa scale`: sets how many pods a Deployment or ReplicaSet keeps.
import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import { ApiSession } from './api-session.ts'
import type { SessionOptions } from './api-session.ts'
import { objectLabel } from './discovery.ts'
import { parseObjectArguments } from './object-arguments.ts'
import { reportFailure, runVerb } from './verb-failure.ts'

interface ScaleOptions extends SessionOptions {
  readonly replicas: number
}

export const registerScaleCommand = (
  program: Command,
  withSession: (command: Command) => Command,
): void => {
  withSession(program.command('scale'))
    .description('set the number of pods')
    .argument('<words...>', 'RESOURCE NAME..., or RESOURCE/NAME...')
    .requiredOption('--replicas <n>', 'the number of pods wanted', parseReplicas)
    .action((words: string[], options: ScaleOptions) => runVerb(() => scale(words, options)))
}

const parseReplicas = (text: string): number => {
  const replicas = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(replicas)) {
    throw new InvalidArgumentError('a whole number, 0 or more')
  }
  return replicas
}

const scale = async (words: readonly string[], options: ScaleOptions): Promise<void> => {
  using session = new ApiSession(options)
  for (const { resource, name } of parseObjectArguments(await session.served(), words)) {
    if (name === undefined) throw new Error('name the object to scale, as in deployment/hello')
    try {
      await session.client.patch(
        resource.ref,
        session.namespaceOf(resource),
        name,
        'merge',
        { spec: { replicas: options.replicas } },
        'scale',
      )
      process.stdout.write(`${objectLabel(resource, name)} scaled\n`)
    } catch (reason) {
      reportFailure(reason)
    }
  }
}
