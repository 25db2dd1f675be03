// `balsa create service` and `ingress`.
import type { Json } from '../../resources/object.ts'
import { type Flags, type Generator, given, numberOrText } from './generator.ts'

const portNumber = (text: string): number => {
  if (!/^\d+$/.test(text))
    throw new Error(`strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`)
  return Number(text)
}

const ports = (flags: Flags): Json[] =>
  flags.list('tcp').map((text) => {
    const [port = '', target = port] = text.split(':')
    return given({
      name: text.replace(':', '-'),
      port: portNumber(port),
      protocol: 'TCP',
      targetPort: numberOrText(target),
      nodePort: flags.number('node-port'),
    })
  })

const service = (
  type: string,
  rest: Pick<Generator, 'about' | 'flags'>,
  special: (flags: Flags) => { readonly [key: string]: Json | undefined } = () => ({}),
): Generator => ({
  words: `service ${type.toLowerCase()}`,
  ...rest,
  make: ({ name, flags }) => {
    const spec = special(flags)
    const list = ports(flags)
    if (list.length === 0 && type !== 'ExternalName' && spec['clusterIP'] !== 'None')
      throw new Error('at least one tcp port specifier must be provided')
    const labels = { app: name }
    return {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, labels },
      spec: given({ ...spec, type, selector: labels, ports: list }),
    }
  },
})

interface Rule {
  readonly host: string
  readonly path: Json
  readonly secret: string | undefined
}

const parseRule = (text: string): Rule => {
  const [, host = '', path = '', backend = '', tls] =
    /^([^/=]*)(\/[^=]*)=([^=,:]+:[^=,]+)(?:,(tls(?:=.*)?))?$/.exec(text) ?? []
  if (backend === '')
    throw new Error(
      `rule ${text} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]`,
    )
  const isPrefix = path.endsWith('*')
  return {
    host,
    path: {
      backend: parseBackend(backend),
      path: isPrefix ? path.slice(0, -1) : path,
      pathType: isPrefix ? 'Prefix' : 'Exact',
    },
    secret: tls === undefined ? undefined : tls.slice('tls='.length),
  }
}

const parseBackend = (text: string): Json => {
  const [name = '', port = ''] = text.split(':')
  if (name === '' || port === '')
    throw new Error('default-backend should be in format servicename:serviceport')
  const number = numberOrText(port)
  return { service: { name, port: typeof number === 'number' ? { number } : { name: number } } }
}

/** Paths of one host, and hosts of one secret, stand together. */
const together = <T>(items: readonly (readonly [string, T])[]): (readonly [string, T[]])[] => {
  const groups = new Map<string, T[]>()
  for (const [key, item] of items) groups.set(key, [...(groups.get(key) ?? []), item])
  return [...groups]
}

const ingress: Generator = {
  words: 'ingress',
  aliases: ['ing'],
  about: 'leads hosts and paths of HTTP to services',
  flags: `
rule+: HOST/PATH=SERVICE:PORT[,tls[=SECRET]]; a path that ends with * is a prefix
class: the class of the ingress
default-backend: SERVICE:PORT, for what no rule is about
annotation+: KEY=VALUE`,
  make: ({ name, flags }) => {
    const rules = flags.list('rule').map(parseRule)
    const backend = flags.text('default-backend')
    if (rules.length === 0 && backend === undefined)
      throw new Error(
        'not enough information provided: every ingress has to either specify a default-backend (which catches all traffic) or a list of rules (which catch specific paths)',
      )
    const annotations = Object.fromEntries(
      flags.list('annotation').map((text) => {
        const at = text.indexOf('=')
        if (at < 1)
          throw new Error(`annotation ${text} is invalid and should be in format key=[value]`)
        return [text.slice(0, at), text.slice(at + 1)]
      }),
    )
    const secured = rules.flatMap(({ host, secret }): [string, string][] =>
      secret === undefined ? [] : [[secret, host]],
    )
    return {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name, ...(flags.list('annotation').length === 0 ? {} : { annotations }) },
      spec: given({
        ingressClassName: flags.text('class'),
        defaultBackend: backend === undefined ? undefined : parseBackend(backend),
        rules: together(rules.map(({ host, path }) => [host, path] as const)).map(
          ([host, paths]): Json => ({ ...(host === '' ? {} : { host }), http: { paths } }),
        ),
        tls: together(secured).map(([secretName, hosts]) =>
          given({
            hosts: [...new Set(hosts)].filter((host) => host !== ''),
            secretName: secretName === '' ? undefined : secretName,
          }),
        ),
      }),
    }
  },
}

const tcp = 'tcp*: PORT, or PORT:TARGETPORT\n'

export const networkGenerators: readonly Generator[] = [
  service(
    'ClusterIP',
    { about: 'an address in the cluster', flags: `${tcp}clusterip: the address; None for none` },
    (flags) => ({ clusterIP: flags.text('clusterip') }),
  ),
  service('NodePort', {
    about: 'a port of every node',
    flags: `${tcp}node-port#: the port of the nodes`,
  }),
  service('LoadBalancer', { about: 'an address outside of the cluster', flags: tcp }),
  service(
    'ExternalName',
    {
      about: 'a name for another name',
      flags: `${tcp}external-name!: the name that it stands for`,
    },
    (flags) => ({ externalName: flags.text('external-name') }),
  ),
  ingress,
]
