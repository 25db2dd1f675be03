// What `balsa join` and `balsa up --join` may be told. Apart from the command, which loads more than the start of `balsa up` has time for.
import { type Command, InvalidArgumentError } from 'commander'
import { dns1123SubdomainProblems } from '../resources/names.ts'

export interface JoinFlags {
  readonly dataDir: string
  readonly token?: string
  readonly caCertHash?: readonly string[]
  readonly caCert?: string
  readonly nodeName?: string
  readonly stopPods?: boolean
}

export const addJoinFlags = (command: Command): Command =>
  command
    .option('--token <token>', 'ID.SECRET, as "balsa token create" prints it', parseToken)
    .option(
      '--ca-cert-hash <hashes...>',
      'sha256:HASH of the key of the authority that the server must have',
      parseHash,
    )
    .option('--ca-cert <file>', 'the certificate of the authority itself')
    .option('--node-name <name>', 'instead of the name of this machine', parseNodeName)

export const parseJoinUrl = (text: string): string => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'https:' || url.hostname === '')
    throw new InvalidArgumentError('write it like https://HOST:PORT')
  return url.origin
}

const parseToken = (text: string): string => {
  if (/^[a-z0-9]{6}\.[a-z0-9]{16}$/.test(text)) return text
  throw new InvalidArgumentError('write it like abcdef.0123456789abcdef')
}

const parseHash = (text: string, before: readonly string[] = []): readonly string[] => {
  if (/^sha256:[0-9a-f]{64}$/i.test(text)) return [...before, text.toLowerCase()]
  throw new InvalidArgumentError('write it like sha256: and 64 hexadecimal digits')
}

const parseNodeName = (text: string): string => {
  const [problem] = dns1123SubdomainProblems(text)
  if (problem !== undefined) throw new InvalidArgumentError(problem)
  return text
}
