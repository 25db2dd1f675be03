// `balsa create`: the objects of manifests, or one that a generator makes of the words and flags.
import { type Command, InvalidArgumentError } from 'commander'
import { ApiError } from '../../client/api-client.ts'
import { collectionPath } from '../../client/http-api-client.ts'
import type { Json, KubeObject } from '../../resources/object.ts'
import { ApiSession } from '../api-session.ts'
import { placed } from '../apply-command.ts'
import { readManifests } from '../manifest-files.ts'
import { printResult } from '../print/output-form.ts'
import { reportFailure, runVerb } from '../verb-failure.ts'
import { configGenerators } from './config-generators.ts'
import { registerCreateToken } from './create-token.ts'
import { type Flag, Flags, type Generator, parseFlags } from './generator.ts'
import { networkGenerators } from './network-generators.ts'
import { createObject, dryRunQuery, type NewObjectOptions, withNewObject } from './new-object.ts'
import { rightsGenerators } from './rights-generators.ts'
import { workloadGenerators } from './workload-generators.ts'

interface ManifestOptions extends NewObjectOptions {
  readonly filename?: readonly string[]
}
type WithSession = (command: Command) => Command

const generators: readonly Generator[] = [
  ...workloadGenerators,
  ...configGenerators,
  ...networkGenerators,
  ...rightsGenerators,
]

/** What comes before a failure of the server; the others are told as they are. */
const failing: Readonly<Record<string, string>> = {
  namespace: '',
  role: '',
  clusterrole: '',
  poddisruptionbudget: 'failed to create poddisruptionbudgets: ',
  'secret generic': 'failed to create secret ',
  'secret tls': 'failed to create secret ',
  'secret docker-registry': 'failed to create secret ',
  'service clusterip': 'failed to create ClusterIP service: ',
  'service nodeport': 'failed to create NodePort service: ',
  'service loadbalancer': 'failed to create LoadBalancer service: ',
  'service externalname': 'failed to create ExternalName service: ',
}

export const registerCreateCommand = (program: Command, withSession: WithSession): void => {
  const create = program.command('create').description('create objects')
  withNewObject(withSession(create))
    .argument('[words...]')
    .option('-f, --filename <path...>', 'manifests: files, folders, or - for stdin')
    .action((words: string[], options: ManifestOptions) =>
      runVerb(() => createManifests(words, options)),
    )
  for (const generator of generators) registerGenerator(create, generator, withSession)
  registerCreateToken(create, withSession)
}

const registerGenerator = (
  create: Command,
  generator: Generator,
  withSession: WithSession,
): void => {
  const [first = '', second] = generator.words.split(' ')
  const parent = second === undefined ? create : folder(create, first)
  const command = parent.command(second ?? first).aliases([...(generator.aliases ?? [])])
  withNewObject(withSession(command)).description(generator.about).argument('[words...]')
  for (const flag of parseFlags(generator.flags)) addFlag(command, flag)
  command.action((words: string[]) => {
    // Flags that `create` itself has too, commander gives to it.
    const options: NewObjectOptions & Record<string, unknown> = command.optsWithGlobals()
    return runVerb(() => generate(generator, words, options))
  })
}

const folder = (create: Command, name: string): Command => {
  const found = create.commands.find((each) => each.name() === name)
  if (found !== undefined) return found
  const command = create.command(name)
  return command
    .description(name === 'secret' ? 'a secret of some type' : 'a service of some type')
    .aliases(name === 'service' ? ['svc'] : [])
    .action(() => command.help())
}

const addFlag = (command: Command, { name, about, isRequired, type }: Flag): void => {
  const flag = type === 'switch' ? `--${name} [bool]` : `--${name} <value>`
  const parse = (text: string, before: unknown): unknown => {
    if (type === 'switch') return text !== 'false'
    if (type === 'number') return wholeNumber(name, text)
    if (type === 'text') return text
    const texts = type === 'list' ? text.split(',') : [text]
    return [...(Array.isArray(before) ? (before as unknown[]) : []), ...texts]
  }
  if (isRequired) command.requiredOption(flag, about, parse)
  else command.option(flag, about, parse)
}

const wholeNumber = (name: string, text: string): number => {
  if (/^-?\d+$/.test(text)) return Number(text)
  throw new InvalidArgumentError(
    `invalid argument ${JSON.stringify(text)} for "--${name}" flag: strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`,
  )
}

const generate = async (
  generator: Generator,
  words: readonly string[],
  options: NewObjectOptions & Record<string, unknown>,
): Promise<void> => {
  const [name, ...rest] = words
  if (name === undefined)
    throw new Error(
      `exactly one NAME is required, got 0\nSee 'balsa create ${generator.words} -h' for help and examples`,
    )
  using session = new ApiSession(options)
  const flags = new Flags(options)
  const object = await generator.make({ name, rest, flags, session: () => session })
  try {
    await createObject(session, object, options)
  } catch (reason) {
    const before = failing[generator.words] ?? `failed to create ${generator.words}: `
    if (!(reason instanceof ApiError) || before === '') throw reason
    throw new Error(`${before}${reason.message}`, { cause: reason })
  }
}

const createManifests = async (
  words: readonly string[],
  options: ManifestOptions,
): Promise<void> => {
  if (words.length > 0)
    throw new Error(
      `Unexpected args: [${words.join(' ')}]\nSee 'balsa create -h' for help and examples`,
    )
  if (options.filename === undefined) throw new Error('must specify one of -f and -k')
  const manifests = readManifests(options.filename)
  using session = new ApiSession(options)
  const served = await session.served()
  for (const manifest of manifests) {
    const doing = `error when creating ${JSON.stringify(manifest.source)}`
    try {
      const { resource, object } = placed(manifest, { session, served, asked: options.namespace })
      if (options.dryRun === 'client') {
        printResult({ resource, object, done: 'created' }, options)
        continue
      }
      const path = collectionPath(resource.ref, object.metadata.namespace)
      const { fieldManager } = options
      const query = { fieldManager, fieldValidation: 'Strict', ...dryRunQuery(options) }
      const body = object as unknown as Json
      const answer = await session.transport.json({ method: 'POST', path, query, body })
      printResult({ resource, object: answer as unknown as KubeObject, done: 'created' }, options)
    } catch (reason) {
      reportFailure(reason, doing)
    }
  }
}
