// What a machine that joined keeps: which server, under what name, whom it trusts and who it is. The file that names the server is written
// last, so a join that was cut short is begun again.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { KeyPair } from '../../apiserver/pki/certificates.ts'
import { replaceFile } from '../../apiserver/pki/replace-file.ts'
import { HttpApiClient } from '../../client/http-api-client.ts'
import { HttpTransport } from '../../client/http-transport.ts'
import { isApiError } from '../../client/is-api-error.ts'
import { nodeType, type Node } from '../../resources/node.ts'
import { isMissing } from '../runtime/process-identity.ts'
import { discoverAuthority } from './discover-authority.ts'
import {
  certificateTimes,
  loadNodeCertificate,
  requestNodeCertificate,
  saveNodeCertificate,
} from './node-certificate.ts'

export interface Membership {
  /** `https://HOST:PORT`. */
  readonly url: string
  readonly nodeName: string
  /** PEM. */
  readonly authority: string
  readonly certificate: KeyPair
}

export interface JoinRequest {
  readonly url: string | undefined
  readonly token: string | undefined
  /** Which authorities may be the right one: `sha256:HEX`. */
  readonly authorityHashes: readonly string[]
  /** PEM; left out: asked of the server and held against the hashes. */
  readonly authority: string | undefined
  readonly nodeName: string | undefined
}

export const certificatePath = (dataDir: string): string => join(dataDir, 'node.pem')
const authorityPath = (dataDir: string): string => join(dataDir, 'ca.crt')
const membershipPath = (dataDir: string): string => join(dataDir, 'node.json')

/**
 * What the folder says, or, where it says nothing, what the cluster makes of the request. Rejects with an Error of one line that names the
 * flag to correct.
 */
export const agreeMembership = async (
  dataDir: string,
  request: JoinRequest,
  defaultName: string,
): Promise<Membership> => {
  const known = await loadMembership(dataDir)
  if (known === undefined) return enter(dataDir, request, request.nodeName ?? defaultName)
  const { nodeName, url = known.url } = request
  if (nodeName !== undefined && nodeName !== known.nodeName) {
    throw new Error(
      `--data-dir ${dataDir} is that of node ${known.nodeName}, and --node-name asks for ${nodeName}: use another --data-dir`,
    )
  }
  if (certificateTimes(known.certificate).endsAtMs <= Date.now()) {
    if (request.token !== undefined) return enter(dataDir, { ...request, url }, known.nodeName)
    throw new Error(`the certificate of node ${known.nodeName} has ended: join with a new --token`)
  }
  if (url !== known.url) await save(dataDir, { ...known, url })
  return { ...known, url }
}

const loadMembership = async (dataDir: string): Promise<Membership | undefined> => {
  try {
    const text = await readFile(membershipPath(dataDir), 'utf8')
    const { url, nodeName } = JSON.parse(text) as { url?: unknown; nodeName?: unknown }
    if (typeof url !== 'string' || typeof nodeName !== 'string')
      throw new Error(`${membershipPath(dataDir)} is damaged: remove it and join again`)
    const authority = await readFile(authorityPath(dataDir), 'utf8')
    const certificate = await loadNodeCertificate(certificatePath(dataDir))
    return certificate === undefined ? undefined : { url, nodeName, authority, certificate }
  } catch (reason) {
    if (isMissing(reason)) return undefined
    if (!(reason instanceof SyntaxError)) throw reason
    throw new Error(`${membershipPath(dataDir)} is damaged: remove it and join again`, {
      cause: reason,
    })
  }
}

const enter = async (
  dataDir: string,
  { url, token, authorityHashes, authority: given }: JoinRequest,
  nodeName: string,
): Promise<Membership> => {
  if (url === undefined || token === undefined)
    throw new Error(
      'say which cluster: balsa join https://HOST:PORT --token ID.SECRET --ca-cert-hash sha256:HASH; "balsa token create --print-join-command" there prints it',
    )
  if (given === undefined && authorityHashes.length === 0)
    throw new Error('--ca-cert-hash or --ca-cert must say whom to trust')
  const authority = given ?? (await discoverAuthority(url, authorityHashes))
  const transport = new HttpTransport({ url, ca: authority, token })
  try {
    const client = new HttpApiClient(transport)
    await refuseTaken(client, nodeName)
    const certificate = await requestNodeCertificate(client, nodeName)
    const membership: Membership = { url, nodeName, authority, certificate }
    await save(dataDir, membership)
    return membership
  } catch (reason) {
    if (!isApiError(reason, 401)) throw reason
    throw new Error('--token: the cluster does not know it, or it has ended: make a new one', {
      cause: reason,
    })
  } finally {
    transport.close()
  }
}

const save = async (
  dataDir: string,
  { url, nodeName, authority, certificate }: Membership,
): Promise<void> => {
  await replaceFile(authorityPath(dataDir), authority, 0o644)
  await saveNodeCertificate(certificatePath(dataDir), certificate)
  await replaceFile(membershipPath(dataDir), `${JSON.stringify({ url, nodeName })}\n`, 0o600)
}

/** Two agents of one name would fight over its pods. */
const refuseTaken = async (client: HttpApiClient, nodeName: string): Promise<void> => {
  try {
    const { status } = await client.get<Node>(nodeType, undefined, nodeName)
    const isReady = status.conditions?.some((one) => one.type === 'Ready' && one.status === 'True')
    if (isReady !== true) return
  } catch (reason) {
    if (isApiError(reason, 404)) return
    throw reason
  }
  throw new Error(
    `--node-name: a node ${nodeName} is Ready in this cluster already: choose another name`,
  )
}
