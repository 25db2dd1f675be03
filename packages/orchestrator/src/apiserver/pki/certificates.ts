// The cluster's own certificate authority and what it signs: the server's certificate and the administrator's. Kept under
// DATA_DIR/pki, keys with mode 0600; a certificate that is near its end or does not name the server's host is made anew.
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { addressesOf } from '../../network/host-address.ts'
import { replaceFile } from './replace-file.ts'
import type { LeafRequest } from './signer.ts'

/** PEM texts. */
export interface KeyPair {
  readonly certificate: string
  readonly key: string
}

export interface Certificates {
  readonly ca: KeyPair
  readonly server: KeyPair
  /** User kubernetes-admin in group system:masters. */
  readonly admin: KeyPair
  /** Made when it is first asked for. */
  frontProxy(): Promise<FrontProxy>
}

/** By what servers behind this one know it, and the authority that signed that: not the one of clients. */
export interface FrontProxy {
  readonly ca: KeyPair
  readonly client: KeyPair
}

const renewBeforeMs = 60 * 24 * 60 * 60 * 1000
const adminUser = 'kubernetes-admin'
const adminGroup = 'system:masters'
/** The common name of the front proxy's certificate. */
export const frontProxyUser = 'front-proxy-client'

/** What is under DATA_DIR/pki, made or renewed as needed. `host`: how clients reach the server, besides the usual names. */
export const openCertificates = async (dataDir: string, host: string): Promise<Certificates> => {
  const folder = join(dataDir, 'pki')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const ca = await openAuthority(folder, 'ca', 'balsa-ca')
  const [server, admin] = await Promise.all([
    openLeaf(folder, 'server', ca, {
      commonName: 'kube-apiserver',
      organizations: [],
      usage: 'server',
      names: serverNames(host),
    }),
    openLeaf(folder, 'admin', ca, {
      commonName: adminUser,
      organizations: [adminGroup],
      usage: 'client',
      names: [],
    }),
  ])
  let frontProxy: Promise<FrontProxy> | undefined
  return { ca, server, admin, frontProxy: () => (frontProxy ??= openFrontProxy(folder)) }
}

const openFrontProxy = async (folder: string): Promise<FrontProxy> => {
  const ca = await openAuthority(folder, 'front-proxy-ca', 'balsa-front-proxy-ca')
  const client = await openLeaf(folder, 'front-proxy-client', ca, {
    commonName: frontProxyUser,
    organizations: [],
    usage: 'client',
    names: [],
  })
  return { ca, client }
}

/** A client certificate for `user` in `groups`, signed by the cluster's authority; not kept. */
export const signClientCertificate = async (
  ca: KeyPair,
  user: string,
  groups: readonly string[],
): Promise<KeyPair> => {
  const { signLeaf } = await import('./signer.ts')
  return signLeaf(ca, { commonName: user, organizations: groups, usage: 'client', names: [] })
}

const isIp = (text: string): boolean => /^[\d.]+$/.test(text) || text.includes(':')

const serverNames = (host: string): LeafRequest['names'] => {
  const names = new Set([
    '127.0.0.1',
    '::1',
    '127.96.0.1',
    '10.96.0.1',
    'localhost',
    hostname().toLowerCase(),
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    'kubernetes.default.svc.cluster.local',
    ...addressesOf(host.replace(/^\[(.*)\]$/, '$1')),
  ])
  return [...names].map((value) => ({ type: isIp(value) ? 'ip' : 'dns', value }))
}

const openAuthority = async (
  folder: string,
  name: string,
  commonName: string,
): Promise<KeyPair> => {
  const present = await readPair(folder, name)
  if (present !== undefined && isFresh(present)) return present
  const { createAuthority } = await import('./signer.ts')
  const pair = await createAuthority(commonName)
  await writePair(folder, name, pair)
  return pair
}

const openLeaf = async (
  folder: string,
  name: string,
  ca: KeyPair,
  request: LeafRequest,
): Promise<KeyPair> => {
  const present = await readPair(folder, name)
  if (present !== undefined && isFresh(present) && isSignedFor(present, ca, request)) return present
  const { signLeaf } = await import('./signer.ts')
  const pair = await signLeaf(ca, request)
  await writePair(folder, name, pair)
  return pair
}

/** Whether the pair can be read, belongs together and is not near its end. */
const isFresh = ({ certificate, key }: KeyPair): boolean => {
  try {
    const parsed = new X509Certificate(certificate)
    const leftMs = Date.parse(parsed.validTo) - Date.now()
    return leftMs > renewBeforeMs && parsed.checkPrivateKey(createPrivateKey(key))
  } catch (reason) {
    if (reason instanceof Error) return false
    throw reason
  }
}

const isSignedFor = ({ certificate }: KeyPair, ca: KeyPair, { names }: LeafRequest): boolean => {
  const parsed = new X509Certificate(certificate)
  return (
    parsed.verify(new X509Certificate(ca.certificate).publicKey) &&
    names.every(({ type, value }) =>
      type === 'ip'
        ? parsed.checkIP(value) !== undefined
        : parsed.checkHost(value, { subject: 'never' }) !== undefined,
    )
  )
}

/** undefined when either file is missing. */
const readPair = async (folder: string, name: string): Promise<KeyPair | undefined> => {
  try {
    const [certificate, key] = await Promise.all([
      readFile(join(folder, `${name}.crt`), 'utf8'),
      readFile(join(folder, `${name}.key`), 'utf8'),
    ])
    return { certificate, key }
  } catch (reason) {
    if (reason instanceof Error && 'code' in reason && reason.code === 'ENOENT') return undefined
    throw reason
  }
}

/** A crash between the two files leaves a pair that does not belong together, which isFresh() sees. */
const writePair = async (folder: string, name: string, pair: KeyPair): Promise<void> => {
  await replaceFile(join(folder, `${name}.key`), pair.key, 0o600)
  await replaceFile(join(folder, `${name}.crt`), pair.certificate, 0o644)
}
