// Mutual TLS between members: both ends show a certificate of the cluster's own authority and verify the other's, and may ask that it names
// the member. Whoever fails is refused with one sentence that says why, which both ends report where TLS lets them.
import { createServer, type Server as HttpsServer, type ServerOptions } from 'node:https'
import type { RequestListener } from 'node:http'
import type { Socket } from 'node:net'
import { checkServerIdentity, TLSSocket, type PeerCertificate } from 'node:tls'
import type { NodeId } from '../core/types.ts'
import { RaftError } from '../errors.ts'
import { refusalText } from './refusal.ts'

type Pem = string | Buffer

/** What a member shows to its peers, and what it believes. Read anew for each connection, so that its values may change. */
export interface PeerTls {
  /** PEM, with what leads to the authority if that is not its issuer. Used for listening and connecting. */
  readonly cert: Pem
  readonly key: Pem
  /** The authorities that sign members' certificates; no other is believed. Undefined: those that Node knows. */
  readonly ca: Pem | Pem[] | undefined
  /**
   * `mutual`: both ends show certificates and verify them. `server`: only who listens shows one. `none`: nobody is asked who he is, the
   * connections are merely encrypted. `mutual` if left out.
   */
  readonly trust?: 'mutual' | 'server' | 'none'
  /** Whether the certificate with this serial number, in hex, is refused though its authority is known. */
  readonly isRevoked?: (serialNumber: string) => boolean
  /** OpenSSL's list, and the versions of TLS; Node's choice and 1.2 to 1.3 if left out. */
  readonly ciphers?: string
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3'
  /** Names of which that member's certificate must carry one, as common name or alternative name; undefined for any. */
  readonly namesOf?: (id: NodeId) => readonly string[] | undefined
}

const minVersionDefault = 'TLSv1.2'
/** Who was refused has so long to ask, so that it can be told. */
const refusalWaitMs = 5_000

/** What a TLS server of peers is made with. Certificates are asked for here and judged by gatePeers(), which can say why. */
export function peerServerOptions(tls: PeerTls): ServerOptions {
  return { ...shownBy(tls), requestCert: isMutual(tls), rejectUnauthorized: false }
}

function isMutual({ trust }: PeerTls): boolean {
  return trust === undefined || trust === 'mutual'
}

type Shown = Pick<ServerOptions, 'cert' | 'key' | 'ca' | 'ciphers' | 'maxVersion' | 'minVersion'>

function shownBy(tls: PeerTls): Shown {
  const { cert, key, ca, ciphers, maxVersion, minVersion = minVersionDefault } = tls
  return {
    cert,
    key,
    minVersion,
    ...(ca === undefined ? {} : { ca }),
    ...(ciphers === undefined ? {} : { ciphers }),
    ...(maxVersion === undefined ? {} : { maxVersion }),
  }
}

export interface PeerServerOptions extends ServerOptions {
  readonly tls: PeerTls
  readonly onRefused: (error: RaftError) => void
}

/** An HTTPS server that nobody gets through to without a certificate of a known authority. */
export function createPeerServer(
  options: PeerServerOptions,
  listener: RequestListener,
): HttpsServer {
  const { tls, onRefused, ...others } = options
  const server = createServer({ ...others, ...peerServerOptions(tls) }, listener)
  gatePeers(server, tls, onRefused)
  return server
}

/** Stands before the HTTP parser: of a connection that is refused no request is read. */
function gatePeers(server: HttpsServer, tls: PeerTls, onRefused: (error: RaftError) => void): void {
  const serve = server.listeners('secureConnection')
  server.removeAllListeners('secureConnection')
  server.on('secureConnection', (socket: TLSSocket) => {
    const error = distrust(tls, socket)
    if (error === undefined) {
      for (const listener of serve) listener.call(server, socket)
      return
    }
    onRefused(error)
    refuse(socket, error)
  })
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
    const where = addressOf(socket)
    // Whoever goes away without a word is no news.
    if (error.code === undefined || !error.code.startsWith('ERR_SSL_')) return
    const isPlain = error.code === 'ERR_SSL_HTTP_REQUEST'
    const text = isPlain
      ? `A peer at ${where} speaks plain HTTP, this member speaks TLS`
      : `The TLS handshake with a peer at ${where} failed: ${reasonOf(error)}`
    onRefused(new RaftError('UNTRUSTED', text, { cause: error }))
  })
}

/** Why whoever connected is not believed. */
function distrust(tls: PeerTls, socket: TLSSocket): RaftError | undefined {
  if (!isMutual(tls)) return undefined
  if (!socket.authorized) return new RaftError('UNTRUSTED', unauthorizedText(socket))
  const certificate = socket.getPeerCertificate()
  if (tls.isRevoked?.(certificate.serialNumber) !== true) return undefined
  const name = commonName(certificate.subject)
  const text = `The certificate of '${name}' at ${addressOf(socket)} is refused: it was revoked`
  return new RaftError('UNTRUSTED', text)
}

function unauthorizedText(socket: TLSSocket): string {
  const where = addressOf(socket)
  const { subject } = socket.getPeerCertificate()
  // Without a certificate the object is empty, whatever its type says.
  if ((subject as object | undefined) === undefined) {
    return `A peer at ${where} shows no certificate`
  }
  const why = String(socket.authorizationError)
  return `The certificate of '${commonName(subject)}' at ${where} is refused: ${why}`
}

function refuse(socket: TLSSocket, error: RaftError): void {
  socket.on('error', () => socket.destroy())
  socket.setTimeout(refusalWaitMs, () => socket.destroy())
  socket.once('data', () => {
    socket.end(refusalText(412, error))
  })
}

function commonName(subject: PeerCertificate['subject']): string {
  return [subject.CN].flat().join(', ')
}

function addressOf(socket: Socket): string {
  return socket.remoteAddress ?? 'an unknown address'
}

function reasonOf(error: NodeJS.ErrnoException): string {
  return (error.code ?? error.message)
    .replace(/^ERR_(?:SSL|TLS)_/, '')
    .replaceAll('_', ' ')
    .toLowerCase()
}

/** Why this connection may not speak for `from`; undefined if it may. */
export function checkPeer(tls: PeerTls, from: NodeId, socket: Socket): RaftError | undefined {
  if (!(socket instanceof TLSSocket)) {
    return new RaftError('UNTRUSTED', `Member ${from} came without TLS`)
  }
  if (!isMutual(tls)) return undefined
  return distrust(tls, socket) ?? checkNames(tls, from, socket.getPeerCertificate())
}

function checkNames(
  { namesOf }: PeerTls,
  id: NodeId,
  certificate: PeerCertificate,
): RaftError | undefined {
  const wanted = namesOf?.(id)
  if (wanted === undefined) return undefined
  const names = namesIn(certificate)
  if (wanted.some((name) => names.includes(name))) return undefined
  const text = `The certificate of member ${id} names ${names.join(', ')}, wanted ${wanted.join(' or ')}`
  return new RaftError('UNTRUSTED', text)
}

/** Common name and alternative names, 'DNS:a, IP Address:1.2.3.4, URI:spiffe://x' without what they are. */
function namesIn({ subject, subjectaltname = '' }: PeerCertificate): readonly string[] {
  const alternatives = subjectaltname
    .split(', ')
    .map((text) => text.replace(/^(?:DNS|IP Address|URI|email):/, ''))
  return [commonName(subject), ...alternatives].filter((name) => name !== '')
}

/** What a connection to a member is made with. */
export interface DialTls extends Shown {
  readonly rejectUnauthorized: boolean
  readonly checkServerIdentity: (host: string, certificate: PeerCertificate) => Error | undefined
}

/** `to` undefined: whoever is there, without a look at its names. */
export function dialOptions(tls: PeerTls, to: NodeId | undefined): DialTls {
  if (tls.trust === 'none') {
    return { ...shownBy(tls), rejectUnauthorized: false, checkServerIdentity: () => undefined }
  }
  return {
    ...shownBy(tls),
    rejectUnauthorized: true,
    checkServerIdentity: (host, certificate) =>
      checkServerIdentity(host, certificate) ??
      checkRevoked(tls, certificate) ??
      (to === undefined ? undefined : checkNames(tls, to, certificate)),
  }
}

function checkRevoked(tls: PeerTls, certificate: PeerCertificate): RaftError | undefined {
  if (tls.isRevoked?.(certificate.serialNumber) !== true) return undefined
  const text = `The certificate of '${commonName(certificate.subject)}' is refused: it was revoked`
  return new RaftError('UNTRUSTED', text)
}

const certificateErrors =
  /^(?:CERT_|CRL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|ERR_TLS_CERT|INVALID_CA|HOSTNAME_MISMATCH|PATH_LENGTH|INVALID_PURPOSE)/

/** What a failed connection to that member says about trust; undefined if it says nothing, as when the member is away. */
export function trustErrorOf(error: Error, to: NodeId): RaftError | undefined {
  if (error instanceof RaftError) return error
  const code = 'code' in error ? String(error.code) : ''
  if (certificateErrors.test(code)) {
    const text = `The certificate of member ${to} is refused: ${error.message}`
    return new RaftError('UNTRUSTED', text, { cause: error })
  }
  if (code !== 'EPROTO' && !code.startsWith('ERR_SSL_')) return undefined
  const text = /wrong version number|WRONG_VERSION/.test(error.message + code)
    ? `Member ${to} does not speak TLS at its address`
    : `The TLS handshake with member ${to} failed: ${code === 'EPROTO' ? 'it was refused' : reasonOf(error)}`
  return new RaftError('UNTRUSTED', text, { cause: error })
}
