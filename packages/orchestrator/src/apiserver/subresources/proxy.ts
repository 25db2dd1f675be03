// pods/NAME/proxy and services/NAME/proxy: an HTTP request passed on to a pod, through the connection of its node, and its answer passed
// back. NAME may carry a scheme and a port: `https:web:8443`.
import type { Endpoints } from '../../resources/endpoints.ts'
import type { KubeObject, Stored } from '../../resources/object.ts'
import type { Pod } from '../../resources/pod.ts'
import type { Service } from '../../resources/service.ts'
import { ApiError } from '../../client/api-client.ts'
import { badRequest } from '../api-errors.ts'
import { forwardRequest } from '../streaming/forward-request.ts'
import { nodeOf } from './pod-container.ts'
import type { SubresourceRequest } from './subresource-table.ts'

interface ProxyName {
  readonly isTls: boolean
  readonly name: string
  /** A number, or a service's name for a port; '' where it is left out. */
  readonly port: string
}

const defaultPort = 80

/** Throws ApiError BadRequest. */
const parseProxyName = (text: string): ProxyName => {
  const parts = text.split(':')
  const [scheme, name, port] = parts.length === 3 ? parts : ['', ...parts, '']
  const isKnown = scheme === '' || scheme === 'http' || scheme === 'https'
  if (!isKnown || parts.length > 3 || name === undefined || name === '') {
    throw badRequest(`invalid proxy request ${JSON.stringify(text)}`)
  }
  return { isTls: scheme === 'https', name, port: port ?? '' }
}

export const handlePodProxy = async (request: SubresourceRequest): Promise<void> => {
  const { registry, place } = request
  const { isTls, name, port } = parseProxyName(place.name)
  const pod = (await registry.get({ ...place, name })).object
  await proxyTo(request, pod, { isTls, port: podPort(pod as Stored<Pod>, port) })
}

const podPort = ({ spec }: Stored<Pod>, text: string): number => {
  if (text === '') return spec.containers[0]?.ports?.[0]?.containerPort ?? defaultPort
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port < 1 || port > 65_535) throw badRequest(`invalid port ${JSON.stringify(text)}`)
  return port
}

export const handleServiceProxy = async (request: SubresourceRequest): Promise<void> => {
  const { registries, registry, place } = request
  const { isTls, name, port } = parseProxyName(place.name)
  const service = (await registry.get({ ...place, name })).object as Stored<Service>
  const portName = servicePortName(service, port)
  const core = (plural: string): typeof registry =>
    registries.get({ group: '', version: 'v1', plural })
  const endpoints = core('endpoints')
  const found = await endpoints.get({ ...place, name }).catch((reason: unknown) => {
    if (reason instanceof ApiError && reason.code === 404) return undefined
    throw reason
  })
  const target = readyEndpoint(found?.object, portName)
  if (target === undefined) {
    const text = `no endpoints available for service ${JSON.stringify(name)}`
    throw new ApiError(503, 'ServiceUnavailable', text)
  }
  const pod = (await core('pods').get({ ...place, name: target.pod })).object
  await proxyTo(request, pod, { isTls, port: target.port })
}

/** The name that endpoints know the port by. Throws ApiError for a port that the service does not have. */
const servicePortName = ({ metadata, spec }: Stored<Service>, text: string): string => {
  const ports = spec.ports ?? []
  const [only] = ports
  if (text === '' && ports.length === 1 && only !== undefined) return only.name ?? ''
  const found = ports.find(({ name, port }) => name === text || String(port) === text)
  if (found !== undefined) return found.name ?? ''
  const text503 = `no service port ${JSON.stringify(text)} found for service ${JSON.stringify(metadata.name)}`
  throw new ApiError(503, 'ServiceUnavailable', text503)
}

const readyEndpoint = (
  endpoints: Endpoints | undefined,
  portName: string,
): { readonly pod: string; readonly port: number } | undefined => {
  const all = (endpoints?.subsets ?? []).flatMap(({ addresses = [], ports = [] }) => {
    const port = ports.find(({ name = '' }) => name === portName)?.port
    const pods = addresses.flatMap(({ targetRef }) =>
      targetRef?.kind === 'Pod' && targetRef.name !== undefined ? [targetRef.name] : [],
    )
    return port === undefined ? [] : pods.map((pod) => ({ pod, port }))
  })
  return all[Math.floor(Math.random() * all.length)]
}

const proxyTo = async (
  { exchange, path, nodes }: SubresourceRequest,
  pod: Stored<KubeObject>,
  { isTls, port }: { readonly isTls: boolean; readonly port: number },
): Promise<void> => {
  const node = nodes.get(nodeOf(pod))
  if (node.dial === undefined) {
    throw new ApiError(503, 'ServiceUnavailable', 'the node does not serve proxies')
  }
  const base = exchange.path.slice(0, exchange.path.length - path.tail.length)
  // Without the slash, links that are relative to the page would lead out of the proxy.
  const isRead = exchange.method === 'GET' || exchange.method === 'HEAD'
  if (path.tail === '' && isRead && !exchange.isUpgrade) {
    const query = exchange.query.size === 0 ? '' : `?${exchange.query.toString()}`
    exchange.redirect(`${base}/${query}`)
    return
  }
  const { podIP = pod.metadata.name } = (pod as Stored<Pod>).status
  await forwardRequest(exchange, {
    dial: async () => {
      try {
        // Narrowed above; a pod's connection is opened for each request.
        return await (node.dial?.(pod, port) ?? Promise.reject(new Error('no connection')))
      } catch (reason) {
        const text = reason instanceof Error ? reason.message : String(reason)
        throw new ApiError(503, 'ServiceUnavailable', `error trying to reach service: ${text}`)
      }
    },
    isTls,
    host: `${podIP}:${port}`,
    base,
    path: path.tail === '' ? '/' : path.tail,
  })
}
