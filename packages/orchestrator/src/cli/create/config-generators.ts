// `balsa create configmap`, `secret`, `namespace`, `serviceaccount`, `quota`, `priorityclass` and `poddisruptionbudget`.
import { readFileSync } from 'node:fs'
import { type Generator, given, numberOrText, parsePairs } from './generator.ts'
import { keySourceFlags, keysFrom } from './key-sources.ts'

const base64 = (entries: Iterable<readonly [string, Buffer]>): Record<string, string> =>
  Object.fromEntries([...entries].map(([key, bytes]) => [key, bytes.toString('base64')]))

/** Undefined where there are none: the member is left out. */
const orNone = <T extends object>(members: T): T | undefined =>
  Object.keys(members).length === 0 ? undefined : members

const isText = (bytes: Buffer): boolean => Buffer.from(bytes.toString('utf8')).equals(bytes)

const docker: Generator = {
  words: 'secret docker-registry',
  about: 'lets nodes sign in to a registry of images',
  flags: `
docker-server: the registry
docker-username: who signs in
docker-password: the password
docker-email: the address of who signs in
from-file*: a file of docker's settings instead`,
  make: ({ name, flags }) => {
    const [username, password] = [flags.text('docker-username'), flags.text('docker-password')]
    const server = flags.text('docker-server') ?? 'https://index.docker.io/v1/'
    const files = keysFrom(flags, `Secret ${JSON.stringify(name)}`)
    if (files.size === 0 && (username === undefined || password === undefined))
      throw new Error(
        'either --from-file or the combination of --docker-username, --docker-password and --docker-server is required',
      )
    const email = flags.text('docker-email')
    const auth = Buffer.from(`${username ?? ''}:${password ?? ''}`).toString('base64')
    const text = JSON.stringify({
      auths: { [server]: { username, password, ...(email === undefined ? {} : { email }), auth } },
    })
    const [file = Buffer.from(text)] = [...files.values()]
    return {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name },
      type: 'kubernetes.io/dockerconfigjson',
      data: base64([['.dockerconfigjson', file]]),
    }
  },
}

const tls: Generator = {
  words: 'secret tls',
  about: 'a certificate and its key',
  flags: `
cert: the file of the certificate, PEM
key: the file of its key, PEM`,
  make: ({ name, flags }) => {
    const [cert, key] = [flags.text('cert'), flags.text('key')]
    if (cert === undefined || key === undefined) throw new Error('key and cert must be specified')
    return {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name },
      type: 'kubernetes.io/tls',
      data: base64([
        ['tls.crt', readPem(cert)],
        ['tls.key', readPem(key)],
      ]),
    }
  },
}

const readPem = (path: string): Buffer => {
  try {
    return readFileSync(path)
  } catch (reason) {
    throw new Error(`Cannot read file ${path}, open ${path}: no such file or directory`, {
      cause: reason,
    })
  }
}

const disruptionBudget: Generator = {
  words: 'poddisruptionbudget',
  aliases: ['pdb'],
  about: 'how many pods may be missing when someone evicts them',
  flags: `
selector: KEY=VALUE,...: which pods
min-available: how many must stay, as a number or percentage
max-unavailable: how many may be missing, as a number or percentage`,
  make: ({ name, flags }) => {
    const selector = flags.text('selector')
    if (selector === undefined) throw new Error('a selector must be specified')
    const [min, max] = [flags.text('min-available'), flags.text('max-unavailable')]
    if (min === undefined && max === undefined)
      throw new Error('one of min-available or max-unavailable must be specified')
    if (min !== undefined && max !== undefined)
      throw new Error('min-available and max-unavailable cannot be both specified')
    return {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name },
      spec: given({
        minAvailable: min === undefined ? undefined : numberOrText(min),
        maxUnavailable: max === undefined ? undefined : numberOrText(max),
        selector: {
          matchLabels: parsePairs(
            selector,
            (part) => new Error(`couldn't parse the selector string ${JSON.stringify(part)}`),
          ),
        },
      }),
    }
  },
}

export const configGenerators: readonly Generator[] = [
  {
    words: 'configmap',
    aliases: ['cm'],
    about: 'settings of files and words',
    flags: keySourceFlags,
    make: ({ name, flags }) => {
      const keys = [...keysFrom(flags, `ConfigMap ${JSON.stringify(name)}`)]
      const texts = keys.filter(([, bytes]) => isText(bytes))
      const data = Object.fromEntries(texts.map(([key, bytes]) => [key, bytes.toString('utf8')]))
      const binaryData = base64(keys.filter(([, bytes]) => !isText(bytes)))
      return {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name },
        ...given({ data: orNone(data), binaryData: orNone(binaryData) }),
      }
    },
  },
  {
    words: 'secret generic',
    about: 'settings that not everybody may see',
    flags: `${keySourceFlags}\ntype: the type of the secret`,
    make: ({ name, flags }) => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name },
      ...given({
        type: flags.text('type'),
        data: orNone(base64(keysFrom(flags, `Secret ${JSON.stringify(name)}`))),
      }),
    }),
  },
  docker,
  tls,
  {
    words: 'namespace',
    aliases: ['ns'],
    about: 'a place of its own for names',
    flags: '',
    make: ({ name }) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }),
  },
  {
    words: 'serviceaccount',
    aliases: ['sa'],
    about: 'an identity that pods run under',
    flags: '',
    make: ({ name }) => ({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } }),
  },
  {
    words: 'quota',
    aliases: ['resourcequota'],
    about: 'how much the objects of a namespace may use',
    flags: `
hard: RESOURCE=AMOUNT,...
scopes: SCOPE,...: which pods count`,
    make: ({ name, flags }) => {
      const hard = flags.text('hard')
      const refuse = (part: string): Error =>
        new Error(`Invalid argument syntax ${part}, expected <resource>=<value>`)
      return {
        apiVersion: 'v1',
        kind: 'ResourceQuota',
        metadata: { name },
        spec: given({
          hard: hard === undefined ? undefined : parsePairs(hard, refuse),
          scopes: flags.text('scopes')?.split(','),
        }),
      }
    },
  },
  {
    words: 'priorityclass',
    aliases: ['pc'],
    about: 'a name for how important pods are',
    flags: `
value#: how important
global-default?: for pods that name no class
description: for whom it is
preemption-policy: Never, or PreemptLowerPriority`,
    make: ({ name, flags }) => ({
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name },
      value: flags.number('value') ?? 0,
      ...given({
        globalDefault: flags.isOn('global-default') ? true : undefined,
        description: flags.text('description'),
        preemptionPolicy: flags.text('preemption-policy') ?? 'PreemptLowerPriority',
      }),
    }),
  },
  disruptionBudget,
]
