// Where another server is that the apiserver calls: by a URL, or by a service, whose ready addresses are asked one after another.
import type { Endpoints } from '../../resources/endpoints.ts'
import type { ServiceReference } from '../../resources/admission/webhook-configuration.ts'
import type { Service } from '../../resources/service.ts'
import { ApiError } from '../../client/api-client.ts'
import type { Registry } from '../registry/registry.ts'

export interface RemoteEndpoint {
  readonly host: string
  readonly port: number
  /** Begins with '/'. */
  readonly path: string
  /** The name in its certificate. */
  readonly serverName: string
}

export class ServiceEndpoints {
  readonly #core: (plural: string) => Registry
  #turn = 0

  constructor(core: (plural: string) => Registry) {
    this.#core = core
  }

  ofUrl(text: string): RemoteEndpoint {
    const url = new URL(text)
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
    const port = url.port === '' ? 443 : Number(url.port)
    return { host, port, path: url.pathname, serverName: host }
  }

  /** Throws ApiError ServiceUnavailable where no address is ready. */
  ofService(reference: ServiceReference): RemoteEndpoint {
    const { namespace, name, path = '/', port = 443 } = reference
    const key = `${namespace}/${name}`
    const service = this.#core('services').cache.get(key)?.object as Service | undefined
    if (service === undefined) throw unavailable(`service ${JSON.stringify(name)} not found`)
    const servicePort = service.spec.ports?.find((one) => one.port === port)
    if (servicePort === undefined) {
      throw unavailable(`no service port ${port} found for service ${JSON.stringify(name)}`)
    }
    const serverName = `${name}.${namespace}.svc`
    if (service.spec.type === 'ExternalName') {
      return { host: service.spec.externalName ?? '', port, path, serverName }
    }
    const endpoints = this.#core('endpoints').cache.get(key)?.object as Endpoints | undefined
    const ready = (endpoints?.subsets ?? []).flatMap((subset) => {
      const found = subset.ports?.find((one) => (one.name ?? '') === (servicePort.name ?? ''))
      if (found === undefined) return []
      return (subset.addresses ?? []).map(({ ip }) => ({ host: ip, port: found.port }))
    })
    const chosen = ready[this.#turn++ % Math.max(1, ready.length)]
    if (chosen === undefined) {
      throw unavailable(`no endpoints available for service ${JSON.stringify(name)}`)
    }
    return { ...chosen, path, serverName }
  }
}

const unavailable = (message: string): ApiError => new ApiError(503, 'ServiceUnavailable', message)
