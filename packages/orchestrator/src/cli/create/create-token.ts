// `balsa create token`: a token of a ServiceAccount.
import { parseGoDuration } from '@balsa/kv/go-duration'
import { type Command, InvalidArgumentError } from 'commander'
import { ApiError } from '../../client/api-client.ts'
import { objectPath } from '../../client/http-api-client.ts'
import { ApiSession, type SessionOptions } from '../api-session.ts'
import { runVerb } from '../verb-failure.ts'
import { given } from './generator.ts'

interface TokenOptions extends SessionOptions {
  readonly audience?: readonly string[]
  readonly duration?: number
  readonly boundObjectKind?: string
  readonly boundObjectName?: string
  readonly boundObjectUid?: string
}

const accounts = { group: '', version: 'v1', plural: 'serviceaccounts' }

export const registerCreateToken = (
  create: Command,
  withSession: (command: Command) => Command,
): void => {
  withSession(create.command('token'))
    .description('print a token of a ServiceAccount')
    .argument('[words...]', 'NAME')
    .option('--audience <audience...>', 'whom it is for')
    .option('--duration <duration>', 'how long it is good, e.g. 1h', parseDuration)
    .option('--bound-object-kind <kind>', 'Pod, Secret or Node: it ends with this object')
    .option('--bound-object-name <name>', 'the name of that object')
    .option('--bound-object-uid <uid>', 'its uid')
    .action((words: string[], _options: unknown, command: Command) =>
      runVerb(() => createToken(words, command.optsWithGlobals())),
    )
}

const parseDuration = (text: string): number => {
  const durationMs = parseGoDuration(text)
  if (durationMs === undefined)
    throw new InvalidArgumentError(
      `invalid argument ${JSON.stringify(text)} for "--duration" flag: time: invalid duration ${JSON.stringify(text)}`,
    )
  return Math.trunc(durationMs / 1000)
}

const createToken = async (words: readonly string[], options: TokenOptions): Promise<void> => {
  const [name, ...others] = words
  if (name === undefined || others.length > 0)
    throw new Error(
      `exactly one NAME is required, got ${words.length}\nSee 'balsa create token -h' for help and examples`,
    )
  const { boundObjectKind: kind } = options
  using session = new ApiSession(options)
  const spec = given({
    audiences: options.audience === undefined ? undefined : [...options.audience],
    expirationSeconds: options.duration,
    boundObjectRef:
      kind === undefined
        ? undefined
        : given({
            apiVersion: 'v1',
            kind,
            name: options.boundObjectName,
            uid: options.boundObjectUid,
          }),
  })
  try {
    const answer = await session.transport.json({
      method: 'POST',
      path: objectPath(accounts, session.namespace, name, 'token'),
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec },
    })
    process.stdout.write(`${(answer as { status: { token: string } }).status.token}\n`)
  } catch (reason) {
    if (!(reason instanceof ApiError)) throw reason
    throw new Error(`failed to create token: ${reason.message}`, { cause: reason })
  }
}
