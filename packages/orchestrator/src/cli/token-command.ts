// `balsa token`: bootstrap tokens, with which a machine introduces itself; Secrets of kube-system, as kubeadm keeps them.
import { randomInt } from 'node:crypto'
import { type Command, InvalidArgumentError } from 'commander'
import { certificateKeyHash } from '../apiserver/pki/ca-hash.ts'
import type { ResourceRef } from '../client/api-client.ts'
import { ageOf } from '../resources/human-duration.ts'
import { reachableUrl } from '../network/host-address.ts'
import type { KubeObject, Stored } from '../resources/object.ts'
import { ApiSession, type SessionOptions } from './api-session.ts'
import { TablePrinter } from './table-text.ts'
import { runVerb } from './verb-failure.ts'

interface CreateOptions extends SessionOptions {
  readonly ttl: number
  readonly description?: string
  readonly groups: string
  readonly printJoinCommand?: boolean
}
interface TokenSecret extends KubeObject {
  readonly type: string
  readonly data?: Readonly<Record<string, string>>
  readonly stringData?: Readonly<Record<string, string>>
}

const secrets: ResourceRef = { group: '', version: 'v1', plural: 'secrets' }
const namespace = 'kube-system'
const secretType = 'bootstrap.kubernetes.io/token'
const prefix = 'bootstrap-token-'
const letters = 'abcdefghijklmnopqrstuvwxyz0123456789'
const idLength = 6
const secretLength = 16
const ttlDefault = '24h'
const unitMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 }

export const registerTokenCommand = (
  program: Command,
  withSession: (command: Command) => Command,
): void => {
  const token = program.command('token').description('tokens with which machines join')
  withSession(token.command('create'))
    .description('make a token and print it')
    .option(
      '--ttl <duration>',
      'how long it is good, e.g. 30m; 0: for ever',
      parseTtl,
      parseTtl(ttlDefault),
    )
    .option('--description <text>', 'what it is for')
    .option(
      '--groups <names>',
      'who has it is in these',
      'system:bootstrappers:kubeadm:default-node-token',
    )
    .option('--print-join-command', 'print the whole command that a machine joins with')
    .action((options: CreateOptions) => runVerb(() => create(options)))
  withSession(token.command('list'))
    .description('show the tokens')
    .action((options: SessionOptions) => runVerb(() => list(options)))
  withSession(token.command('delete'))
    .description('make tokens invalid')
    .argument('<tokens...>', 'ID, or ID.SECRET')
    .action((tokens: string[], options: SessionOptions) => runVerb(() => remove(tokens, options)))
}

const parseTtl = (text: string): number => {
  if (text === '0') return 0
  const [, count = '', unit = ''] = /^(\d+)([smh])$/.exec(text) ?? []
  const ttlMs = Number(count) * (unitMs[unit] ?? 0)
  if (!Number.isSafeInteger(ttlMs) || ttlMs === 0) {
    throw new InvalidArgumentError('0, or a duration such as 30m or 24h')
  }
  return ttlMs
}

const random = (length: number): string =>
  Array.from({ length }, () => letters[randomInt(letters.length)]).join('')

const create = async (options: CreateOptions): Promise<void> => {
  using session = new ApiSession(options)
  const id = random(idLength)
  const secret = random(secretLength)
  const { ttl, description, groups } = options
  const expiration = new Date(Date.now() + ttl).toISOString().replace(/\.\d+/, '')
  const object: TokenSecret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: `${prefix}${id}`, namespace },
    type: secretType,
    stringData: {
      'token-id': id,
      'token-secret': secret,
      'usage-bootstrap-authentication': 'true',
      'usage-bootstrap-signing': 'true',
      'auth-extra-groups': groups,
      ...(ttl === 0 ? {} : { expiration }),
      ...(description === undefined ? {} : { description }),
    },
  }
  await session.client.create(secrets, object)
  const { url, ca } = session.server
  const isWhole = options.printJoinCommand === true
  process.stdout.write(`${isWhole ? joinCommand(url, ca, `${id}.${secret}`) : `${id}.${secret}`}\n`)
}

const joinCommand = (url: string, ca: string | undefined, token: string): string => {
  if (ca === undefined) throw new Error('the kubeconfig does not say which authority to trust')
  return `balsa join ${reachableUrl(url)} --token ${token} --ca-cert-hash ${certificateKeyHash(ca)}`
}

const list = async (options: SessionOptions): Promise<void> => {
  using session = new ApiSession(options)
  const fieldSelector = `type=${secretType}`
  const { items } = await session.client.list<TokenSecret>(secrets, { namespace, fieldSelector })
  const columns = ['Token', 'TTL', 'Expires', 'Usages', 'Description', 'Extra Groups']
  process.stdout.write(
    new TablePrinter({}).text({
      kind: 'Table',
      columnDefinitions: columns.map((name) => ({ name })),
      rows: items.map((item) => ({ cells: cellsOf(item) })),
    }),
  )
}

const cellsOf = ({ data = {} }: Stored<TokenSecret>): string[] => {
  const text = (key: string): string => Buffer.from(data[key] ?? '', 'base64').toString('utf8')
  const expires = text('expiration')
  const leftMs = Date.parse(expires) - Date.now()
  const left = (): string =>
    leftMs <= 0 ? '<invalid>' : ageOf(new Date(Date.now() - leftMs).toISOString(), Date.now())
  const usages = ['authentication', 'signing'].filter(
    (usage) => text(`usage-bootstrap-${usage}`) === 'true',
  )
  return [
    `${text('token-id')}.${text('token-secret')}`,
    expires === '' ? '<forever>' : left(),
    expires === '' ? '<never>' : expires,
    usages.join(','),
    text('description') || '<none>',
    text('auth-extra-groups'),
  ]
}

const remove = async (tokens: readonly string[], options: SessionOptions): Promise<void> => {
  using session = new ApiSession(options)
  for (const token of tokens) {
    const [, id] = /^([a-z0-9]{6})(\.[a-z0-9]{16})?$/.exec(token) ?? []
    if (id === undefined) throw new Error(`${JSON.stringify(token)} is no token: ID or ID.SECRET`)
    await session.client.delete(secrets, namespace, `${prefix}${id}`)
    process.stdout.write(`bootstrap token ${JSON.stringify(id)} deleted\n`)
  }
}
