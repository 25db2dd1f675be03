// Finds and reads the kubeconfig: which server, which namespace, and who asks. The same files as kubectl, and before ~/.kube/config the
// one that `balsa up` writes.
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { parse } from 'yaml'
import type { ApiServerAddress } from './http-transport.ts'

export interface KubeconfigOptions {
  readonly kubeconfig?: string
  readonly context?: string
}
export interface Kubeconfig {
  readonly server: ApiServerAddress
  readonly namespace: string
  /** What the file calls the one who asks; '' for nobody. */
  readonly userName: string
}

type Yaml = { readonly [key: string]: unknown }

const upKubeconfig = join('.balsa', 'kubeconfig')

/** Throws Error with one line that says what to do. */
export const readKubeconfig = (options: KubeconfigOptions): Kubeconfig => {
  const path = findKubeconfig(options)
  const document = parseFile(path)
  const contextName = options.context ?? text(document, 'current-context')
  if (contextName === undefined) throw new Error(`${path} names no current-context`)
  const context = named(document, { list: 'contexts', name: contextName, member: 'context' }, path)
  const clusterName = text(context, 'cluster') ?? ''
  const cluster = named(document, { list: 'clusters', name: clusterName, member: 'cluster' }, path)
  const userName = text(context, 'user')
  const user =
    userName === undefined
      ? {}
      : named(document, { list: 'users', name: userName, member: 'user' }, path)
  const url = text(cluster, 'server')
  if (url === undefined || !URL.canParse(url)) {
    throw new Error(`${path}: the cluster ${clusterName} has no valid server address`)
  }
  const folder = dirname(path)
  const ca = pem(cluster, 'certificate-authority', folder)
  const cert = pem(user, 'client-certificate', folder)
  const key = pem(user, 'client-key', folder)
  const token = text(user, 'token')
  return {
    server: {
      url,
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(token === undefined ? {} : { token }),
      ...(cluster['insecure-skip-tls-verify'] === true ? { skipTlsVerify: true } : {}),
    },
    namespace: text(context, 'namespace') ?? 'default',
    userName: userName ?? '',
  }
}

/** The path of the one that is read. Throws Error with one line that says what to do. */
export const findKubeconfig = ({ kubeconfig }: KubeconfigOptions): string => {
  if (kubeconfig !== undefined) return resolve(kubeconfig)
  const listed = (process.env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '')
  const candidates = listed.length > 0 ? listed : [upKubeconfig, join(homedir(), '.kube', 'config')]
  const found = candidates.find((path) => existsSync(path))
  if (found === undefined) {
    throw new Error(
      `no kubeconfig at ${candidates.join(' or ')}: start a cluster here with "balsa up", or name one with --kubeconfig`,
    )
  }
  return resolve(found)
}

const parseFile = (path: string): Yaml => {
  let value: unknown
  try {
    value = parse(readFileSync(path, 'utf8'))
  } catch (reason) {
    const why = reason instanceof Error ? reason.message.split('\n')[0] : String(reason)
    throw new Error(`cannot read the kubeconfig ${path}: ${why}`, { cause: reason })
  }
  if (!isYaml(value)) throw new Error(`${path} is no kubeconfig`)
  return value
}

const isYaml = (value: unknown): value is Yaml =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const text = (object: Yaml, key: string): string | undefined => {
  const value = object[key]
  return typeof value === 'string' && value !== '' ? value : undefined
}

const named = (
  document: Yaml,
  at: { readonly list: string; readonly name: string; readonly member: string },
  path: string,
): Yaml => {
  const list = document[at.list]
  const entries: unknown[] = Array.isArray(list) ? list : []
  const entry = entries.filter(isYaml).find((one) => one['name'] === at.name)
  const member = entry?.[at.member]
  if (!isYaml(member))
    throw new Error(`${path}: no ${at.member} is named ${JSON.stringify(at.name)}`)
  return member
}

/** `KEY-data` holds it in base64, `KEY` is a file's path relative to the kubeconfig. */
const pem = (object: Yaml, key: string, folder: string): string | undefined => {
  const data = text(object, `${key}-data`)
  if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8')
  const path = text(object, key)
  return path === undefined ? undefined : readFileSync(resolve(folder, path), 'utf8')
}
