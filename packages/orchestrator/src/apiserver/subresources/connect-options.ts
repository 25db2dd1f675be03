// Connections to pods, services and nodes pass admission too: as CONNECT, with an object that says what is asked for.
import type { KubeObject } from '../../resources/object.ts'
import type { Exchange } from '../wire/exchange.ts'
import { flag, writeOptions } from '../wire/query-options.ts'
import type { Place, Registry } from '../registry/registry.ts'
import type { ResourcePath } from '../wire/request-path.ts'
import type { Subresource } from './subresource-table.ts'

interface ConnectRequest {
  readonly exchange: Exchange
  readonly path: ResourcePath
  readonly registry: Registry
}

/** Nothing for what is no connection. Throws ApiError for one that is refused. */
export const admitConnect = async (
  { exchange, path, registry }: ConnectRequest,
  place: Place,
  { name: subresource, kind }: Subresource,
): Promise<void> => {
  const fields = optionFields[kind.kind]?.({ exchange, path })
  if (fields === undefined) return
  const object = { apiVersion: 'v1', kind: kind.kind, metadata: {}, ...fields } as KubeObject
  const options = writeOptions(exchange)
  const write = { operation: 'CONNECT', subresource, oldObject: undefined } as const
  await registry.admit({ ...write, place, object, options })
}

type Fields = (request: Omit<ConnectRequest, 'registry'>) => object

const streams = ({ query }: Exchange): object => {
  const container = query.get('container') ?? ''
  const asked = ['stdin', 'stdout', 'stderr', 'tty'].filter((name) => flag(query, name))
  return {
    ...Object.fromEntries(asked.map((name) => [name, true])),
    ...(container === '' ? {} : { container }),
  }
}
const proxied: Fields = ({ path }) => (path.tail === '' ? {} : { path: path.tail })

/** By the kind of the options. */
const optionFields: Readonly<Record<string, Fields>> = {
  PodExecOptions: ({ exchange }) => ({
    ...streams(exchange),
    command: exchange.query.getAll('command'),
  }),
  PodAttachOptions: ({ exchange }) => streams(exchange),
  PodPortForwardOptions: ({ exchange }) => {
    const ports = exchange.query.getAll('ports').map(Number).filter(Number.isInteger)
    return ports.length === 0 ? {} : { ports }
  },
  PodProxyOptions: proxied,
  ServiceProxyOptions: proxied,
  NodeProxyOptions: proxied,
}
