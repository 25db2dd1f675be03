// `balsa patch`: changes an object by a patch of one of the three kinds.
import { type Command, InvalidArgumentError } from 'commander'
import type { PatchType } from '../client/api-client.ts'
import { parse } from 'yaml'
import type { Json, KubeObject } from '../resources/object.ts'
import { ApiSession, type SessionOptions } from './api-session.ts'
import { objectLabel } from './discovery.ts'
import { parseObjectArguments } from './object-arguments.ts'
import { reportFailure, runVerb } from './verb-failure.ts'

interface PatchOptions extends SessionOptions {
  readonly patch: string
  readonly type: PatchType
  readonly subresource?: 'status' | 'scale'
}

const types: readonly PatchType[] = ['strategic', 'merge', 'json']

export const registerPatchCommand = (
  program: Command,
  withSession: (command: Command) => Command,
): void => {
  withSession(program.command('patch'))
    .description('change fields of an object')
    .argument('<words...>', 'RESOURCE NAME..., or RESOURCE/NAME...')
    .requiredOption('-p, --patch <text>', 'the patch, JSON or YAML')
    .option('--type <type>', types.join(', '), parseType, 'strategic')
    .option('--subresource <name>', 'status or scale', parseSubresource)
    .action((words: string[], options: PatchOptions) => runVerb(() => patch(words, options)))
}

const parseType = (text: string): PatchType => {
  const type = types.find((one) => one === text)
  if (type === undefined) throw new InvalidArgumentError(`one of ${types.join(', ')}`)
  return type
}
const parseSubresource = (text: string): string => {
  if (text !== 'status' && text !== 'scale') throw new InvalidArgumentError('status or scale')
  return text
}

const patch = async (words: readonly string[], options: PatchOptions): Promise<void> => {
  const body = parse(options.patch) as Json
  using session = new ApiSession(options)
  for (const { resource, name } of parseObjectArguments(await session.served(), words)) {
    if (name === undefined) throw new Error('name the object to patch, as in deployment/hello')
    const { client } = session
    const namespace = session.namespaceOf(resource)
    try {
      const before = await client.get<KubeObject>(resource.ref, namespace, name)
      const { type, subresource } = options
      const after = await client.patch(resource.ref, namespace, name, type, body, subresource)
      const isSame = before.metadata.resourceVersion === after.metadata.resourceVersion
      const label = objectLabel(resource, name)
      process.stdout.write(`${label} patched${isSame ? ' (no change)' : ''}\n`)
    } catch (reason) {
      reportFailure(reason)
    }
  }
}
