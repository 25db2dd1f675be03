// Why a client URL cannot be listened on, in one line that names the URL and the cure.

const cures: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use; stop what listens there or choose another port',
  EACCES: 'permission denied; choose a port above 1023',
  EADDRNOTAVAIL: 'the address is not one of this machine; use one that is, such as 127.0.0.1',
  ENOTFOUND: 'the host name is not known; use an IP address',
}

export class ListenError extends Error {
  override readonly name = 'ListenError'
  readonly url: string

  /** `cause` undefined: the URL itself is wrong. */
  constructor(url: string, cause: NodeJS.ErrnoException | undefined) {
    const why =
      cause === undefined
        ? 'it must look like http://127.0.0.1:2379'
        : (cures[cause.code ?? ''] ?? cause.message)
    super(`cannot listen on ${url}: ${why}`, { cause })
    this.url = url
  }
}
