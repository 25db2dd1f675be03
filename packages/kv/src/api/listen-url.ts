// Where a listener listens: http, https, unix and unixs URLs as etcd writes them.
import { lstat, unlink } from 'node:fs/promises'
import { connect } from 'node:net'
import type { AddressInfo, ListenOptions, Server } from 'node:net'
import { ListenError } from './listen-error.ts'

export interface ListenUrl {
  readonly text: string
  readonly isTls: boolean
  /** Undefined: it is reached over the network. */
  readonly socketPath: string | undefined
  readonly host: string
  readonly port: number
}

const schemes = new Map([
  ['http:', { isTls: false, port: 80 }],
  ['https:', { isTls: true, port: 443 }],
])

/** Throws ListenError. */
export function parseListenUrl(text: string): ListenUrl {
  const unix = /^unix(s?):\/\/(.+)$/.exec(text)
  if (unix !== null) {
    return { text, isTls: unix[1] === 's', socketPath: unix[2], host: '', port: 0 }
  }
  const url = URL.canParse(text) ? new URL(text) : undefined
  const scheme = schemes.get(url?.protocol ?? '')
  if (url === undefined || scheme === undefined || url.pathname !== '/') {
    throw new ListenError(text, undefined)
  }
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = url.port === '' ? scheme.port : Number(url.port)
  return { text, isTls: scheme.isTls, socketPath: undefined, host, port }
}

/** Rejects with ListenError; answers the URL with the real port. Errors of accept() end that connection, not the server. */
export async function listenAt(server: Server, url: ListenUrl): Promise<string> {
  const { socketPath, host, port } = url
  if (socketPath !== undefined) await removeStaleSocket(socketPath)
  const target: ListenOptions = socketPath === undefined ? { host, port } : { path: socketPath }
  await new Promise<void>((resolve, reject) => {
    server.on('error', (error: NodeJS.ErrnoException) => reject(new ListenError(url.text, error)))
    server.listen(target, resolve)
  })
  if (socketPath !== undefined) return url.text
  const address = server.address() as AddressInfo
  const shownHost = host.includes(':') ? `[${host}]` : host
  return `${url.isTls ? 'https' : 'http'}://${shownHost}:${address.port}`
}

/** A socket file outlives a process that was killed: it is taken away if nobody answers there. */
async function removeStaleSocket(path: string): Promise<void> {
  const isServed = await new Promise<boolean>((resolve) => {
    const probe = connect(path)
    probe.on('connect', () => {
      probe.destroy()
      resolve(true)
    })
    // Anything but a socket without a server is left alone, and listening will say what is wrong with it.
    probe.on('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'))
  })
  if (!isServed && (await lstat(path)).isSocket()) await unlink(path)
}
