// `balsa run`: one pod, made of flags; with -i it is attached to, with --rm deleted at its end.
import type { Command } from 'commander'
import { ApiSession } from '../api-session.ts'
import { runVerb } from '../verb-failure.ts'
import { given, type Manifested, parsePairs } from './generator.ts'
import { createObject, type NewObjectOptions, withNewObject } from './new-object.ts'
import { type AttachOptions, runAttached } from './run-attached.ts'

interface RunOptions extends NewObjectOptions, AttachOptions {
  readonly attach?: boolean
  readonly image: string
  readonly command?: boolean
  readonly env?: readonly string[]
  readonly labels?: string
  readonly annotations?: readonly string[]
  readonly port?: string
  readonly expose?: boolean
  readonly imagePullPolicy?: string
  readonly privileged?: boolean
}

const usage = "See 'balsa run -h' for help and examples"
const pods = { group: '', version: 'v1', plural: 'pods' }

const addText = (text: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  text,
]

export const registerRunCommand = (
  program: Command,
  withSession: (command: Command) => Command,
): void => {
  withNewObject(withSession(program.command('run')))
    .description('run one pod')
    .argument('[words...]', 'NAME, then -- and the arguments of the program')
    .requiredOption('--image <image>', 'the image, or the program')
    .option('--command', 'what stands behind -- is the program, not its arguments alone')
    .option('--env <variable>', 'NAME=VALUE', addText)
    .option('-l, --labels <labels>', 'KEY=VALUE,... instead of run=NAME')
    .option('--annotations <annotation>', 'KEY=VALUE', addText)
    .option('--port <port>', 'a port that the container listens on')
    .option('--expose', 'make a Service for the port too')
    .option('--restart <policy>', 'Always, OnFailure or Never', 'Always')
    .option('--image-pull-policy <policy>', 'Always, IfNotPresent or Never')
    .option('--privileged', 'with all rights')
    .option('-i, --stdin', 'keep its input open')
    .option('-t, --tty', 'give it a terminal')
    .option('--attach', 'show what it writes until it ends; so does -i')
    .option('--rm', 'delete it at its end; with -i or --attach')
    .action((words: string[], options: RunOptions) => runVerb(() => run(words, options)))
}

const run = async (words: readonly string[], options: RunOptions): Promise<void> => {
  const [name, ...rest] = words
  if (name === undefined) throw new Error(`NAME is required for run\n${usage}`)
  const { port, expose } = options
  if (port !== undefined && !/^\d+$/.test(port))
    throw new Error(`strconv.Atoi: parsing ${JSON.stringify(port)}: invalid syntax`)
  if (expose === true && port === undefined)
    throw new Error('--port must be set when exposing a service')
  if (!['Always', 'OnFailure', 'Never'].includes(options.restart))
    throw new Error(`invalid restart policy: ${options.restart}\n${usage}`)
  const isAttached = options.attach ?? options.stdin ?? false
  if (options.rm === true && !isAttached)
    throw new Error(`--rm should only be used for attached containers\n${usage}`)
  using session = new ApiSession(options)
  if (expose === true) await createObject(session, serviceOf(name, options), options)
  const pod = podOf(name, rest, options)
  if (!isAttached || options.dryRun !== 'none') await createObject(session, pod, options)
  else {
    await session.client.create(pods, {
      ...pod,
      metadata: { ...pod.metadata, namespace: session.namespace },
    })
    await runAttached(session, name, options)
  }
}

const labelsOf = (name: string, { labels }: RunOptions): Record<string, string> =>
  labels === undefined
    ? { run: name }
    : parsePairs(labels, (part) => new Error(`unexpected label spec: ${part}`))

const podOf = (name: string, rest: readonly string[], options: RunOptions): Manifested => {
  const { env = [], annotations = [], port } = options
  const pair = (text: string, noun: string): readonly [string, string] => {
    const at = text.indexOf('=')
    if (at < 1) throw new Error(`invalid ${noun}: ${text}`)
    return [text.slice(0, at), text.slice(at + 1)]
  }
  const variables = env.map((text) => {
    const [variable, value] = pair(text, 'env')
    return { name: variable, value }
  })
  const container = given({
    name,
    image: options.image,
    [options.command === true ? 'command' : 'args']: rest,
    env: variables,
    ports: port === undefined ? undefined : [{ containerPort: Number(port) }],
    imagePullPolicy: options.imagePullPolicy,
    securityContext: options.privileged === true ? { privileged: true } : undefined,
    stdin: options.stdin,
    stdinOnce: options.stdin,
    tty: options.tty,
  })
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      labels: labelsOf(name, options),
      ...(annotations.length === 0
        ? {}
        : { annotations: Object.fromEntries(annotations.map((text) => pair(text, 'annotation'))) }),
    },
    spec: { containers: [container], dnsPolicy: 'ClusterFirst', restartPolicy: options.restart },
  }
}

const serviceOf = (name: string, options: RunOptions): Manifested => {
  const port = Number(options.port)
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: {
      selector: labelsOf(name, options),
      ports: [{ port, protocol: 'TCP', targetPort: port }],
    },
  }
}
