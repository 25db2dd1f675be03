// Whether the server behind an APIService answers: upstream's checks in its order, with its reasons and texts.
import type { ApiService } from '../../resources/aggregation/api-service.ts'
import { apiServiceName } from '../../resources/aggregation/api-service.ts'
import type { Condition } from '../../resources/object.ts'
import type { ServiceEndpoints, ServiceLookup } from '../webhooks/remote-endpoint.ts'
import type { ApiBackend } from './api-backend.ts'

export type Availability = Pick<Condition, 'status' | 'reason' | 'message'>

/** Requests at the same time, of which one must be answered; they go to different addresses where there are some. */
const attemptsMax = 5
const checkTimeoutMs = 5000
const checkBytesMax = 4 * 1024 * 1024

/** Where a version's discovery is. */
export const discoveryPath = ({ group = '', version = '' }: ApiService['spec']): string =>
  apiServiceName({ group, version }) === 'v1.' ? `/api/${version}` : `/apis/${group}/${version}`

export const checkAvailability = async (
  backend: ApiBackend,
  endpoints: ServiceEndpoints,
): Promise<Availability> => {
  const { namespace = '', name = '', port = 443 } = backend.spec.service ?? {}
  const lookup = endpoints.lookUp({ namespace, name, port })
  const missing = missingPart(lookup, { namespace, name, port })
  if (missing !== undefined) return { status: 'False', ...missing }
  const addresses = lookup.found === 'addresses' ? lookup.addresses.length : 1
  const attempts = Array.from({ length: Math.min(attemptsMax, addresses) }, () => ask(backend))
  try {
    await Promise.any(attempts)
  } catch (reason) {
    const [first] = reason instanceof AggregateError ? (reason.errors as unknown[]) : [reason]
    const message = first instanceof Error ? first.message : String(first)
    return { status: 'False', reason: 'FailedDiscoveryCheck', message }
  }
  return { status: 'True', reason: 'Passed', message: 'all checks passed' }
}

const missingPart = (
  lookup: ServiceLookup,
  of: { readonly namespace: string; readonly name: string; readonly port: number },
): { readonly reason: string; readonly message: string } | undefined => {
  const service = `service/${of.name} in ${JSON.stringify(of.namespace)}`
  switch (lookup.found) {
    case 'nothing':
      return { reason: 'ServiceNotFound', message: `${service} is not present` }
    case 'no port':
      return {
        reason: 'ServicePortError',
        message: `${service} is not listening on port ${of.port}`,
      }
    case 'no endpoints':
      return { reason: 'EndpointsNotFound', message: `cannot find endpoints for ${service}` }
    case 'no addresses':
      return {
        reason: 'MissingEndpoints',
        message: `endpoints for ${service} have no addresses with port name ${JSON.stringify(lookup.portName)}`,
      }
    case 'addresses':
      return undefined
  }
}

const ask = async (backend: ApiBackend): Promise<void> => {
  const path = discoveryPath(backend.spec)
  const url = `${backend.url}${path}`
  const failed = (why: string): Error =>
    new Error(`failing or missing response from ${url}: ${why}`)
  let status: number
  try {
    const answer = await backend.document({
      path,
      accept: 'application/json, */*',
      timeoutMs: checkTimeoutMs,
      bytesMax: checkBytesMax,
    })
    status = answer.status
  } catch (reason) {
    const text = reason instanceof Error ? reason.message : String(reason)
    throw failed(`Get ${JSON.stringify(url)}: ${text}`)
  }
  if (status < 200 || status >= 300) throw failed(`bad status from ${url}: ${status}`)
}
