// Options that every `balsa kv` command shares, and the client they lead to. Variables are etcdctl's.
import type { Command } from 'commander'
import { InvalidArgumentError, Option } from 'commander'
import { connect, type ConnectOptions } from '../../client/connect.ts'
import { parseEndpoints } from '../../client/endpoint.ts'
import type { Kv } from '../../kv.ts'
import { askPassword } from './ask-password.ts'
import { addTlsOptions, tlsOf, type TlsFlags } from './tls-options.ts'

export interface KvGlobals extends TlsFlags {
  readonly endpoints: string
  readonly writeOut: string
  readonly dialTimeout: number
  readonly commandTimeout: number
  readonly protocol: string
  readonly hex?: boolean
  /** name[:password] */
  readonly user?: string
  /** A switch of the same name makes it a boolean. */
  readonly password?: string | boolean
}

/** Commands that know no table or fields print as for simple. */
const formats = ['simple', 'json', 'table', 'fields'] as const

export function addKvOptions(command: Command): void {
  const endpoints = process.env['ETCDCTL_ENDPOINTS'] ?? '127.0.0.1:2379'
  command
    .option('--endpoints <list>', 'servers, with commas between them', endpoints)
    .addOption(
      new Option('-w, --write-out <format>', formats.join(', '))
        .argParser(oneOf(...formats))
        .default('simple')
        .env('ETCDCTL_WRITE_OUT'),
    )
    .addOption(
      new Option('--dial-timeout <duration>', 'how long to wait for a server')
        .argParser(durationMs)
        .default(2000)
        .env('ETCDCTL_DIAL_TIMEOUT'),
    )
    .addOption(
      new Option('--command-timeout <duration>', 'how long a short command may take')
        .argParser(durationMs)
        .default(5000)
        .env('ETCDCTL_COMMAND_TIMEOUT'),
    )
    .option('--protocol <wire>', 'auto, native or grpc', oneOf('auto', 'native', 'grpc'), 'auto')
    .option(
      '--user <name[:password]>',
      'who you are; asks for a password that is missing',
      process.env['ETCDCTL_USER'],
    )
    .option('--password <text>', 'it, if it is not part of --user', process.env['ETCDCTL_PASSWORD'])
    .option(
      '--hex',
      'print keys and values as hexadecimal bytes',
      process.env['ETCDCTL_HEX'] === 'true',
    )
  addTlsOptions(command)
}

/** Opens a client for one command and closes it afterwards, also when the command fails. */
export async function withKv(globals: KvGlobals, run: (kv: Kv) => Promise<void>): Promise<void> {
  await using kv = await connect(connectOptionsOf(globals))
  await run(kv)
}

export function connectOptionsOf(globals: KvGlobals): ConnectOptions {
  const { protocol } = globals
  const tls = tlsOf(globals)
  return {
    endpoints: globals.endpoints,
    protocol: protocol === 'native' || protocol === 'grpc' ? protocol : 'auto',
    connectTimeoutMs: globals.dialTimeout,
    requestTimeoutMs: globals.commandTimeout,
    ...userOf(globals),
    ...(tls === undefined ? {} : { tls }),
  }
}

function userOf({ user, password }: KvGlobals): Pick<ConnectOptions, 'user'> {
  if (user === undefined) return {}
  const [name, known] = splitUser(user)
  const given = typeof password === 'string' ? password : undefined
  return { user: { name, password: given ?? known ?? '' } }
}

/** 'name:password' */
export function splitUser(text: string): readonly [name: string, password: string | undefined] {
  const colon = text.indexOf(':')
  return colon < 0 ? [text, undefined] : [text.slice(0, colon), text.slice(colon + 1)]
}

/** Before a command of `kv` runs. */
export async function askMissingPassword(kv: Command): Promise<void> {
  const { user, password } = kv.opts<KvGlobals>()
  if (user === undefined || user.includes(':') || typeof password === 'string') return
  kv.setOptionValue('password', await askPassword('Password: '))
}

export function endpointsOf(globals: KvGlobals): readonly string[] {
  parseEndpoints(globals.endpoints, false)
  return globals.endpoints.split(',').map((text) => text.trim())
}

export function oneOf(...choices: string[]): (text: string) => string {
  return (text) => {
    if (choices.includes(text)) return text
    throw new InvalidArgumentError(`Want one of ${choices.join(', ')}.`)
  }
}

export function wholeNumber(text: string): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value
  throw new InvalidArgumentError('Want a whole number, 0 or greater.')
}

/** As etcdctl prints and takes them: hexadecimal. */
export function leaseId(text: string): bigint {
  if (/^(0x)?[0-9a-f]{1,16}$/i.test(text)) {
    return BigInt.asIntN(64, BigInt(`0x${text.replace(/^0x/i, '')}`))
  }
  throw new InvalidArgumentError('Want a lease id in hexadecimal.')
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Go's form: 500ms, 2s, 1m. */
export function durationMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text)
  const value = Number(match?.[1]) * (unitMs[match?.[2] ?? ''] ?? Number.NaN)
  if (value > 0) return value
  throw new InvalidArgumentError('Want a duration such as 500ms, 2s or 1m.')
}
