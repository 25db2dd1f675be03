// Under which address other machines find this one.
import { networkInterfaces } from 'node:os'

const external = (): string[] =>
  Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address)

/** The first one that is not of this machine alone, or 127.0.0.1. */
export const hostAddress = (): string => external()[0] ?? '127.0.0.1'

/** Whether a server that listens there is reached at every address of the machine. */
export const isEveryAddress = (host: string): boolean =>
  host === '0.0.0.0' || host === '::' || host === '[::]'

/** What a client may call a server that listens at `host`. */
export const addressesOf = (host: string): string[] => (isEveryAddress(host) ? external() : [host])

/** One address of those at which a server is reached. */
export const reachableAddress = (host: string): string =>
  isEveryAddress(host) ? hostAddress() : host

export const reachableUrl = (text: string): string => {
  const url = new URL(text)
  url.hostname = reachableAddress(url.hostname)
  return url.origin
}
