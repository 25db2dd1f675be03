// Ingress as networking.k8s.io/v1beta1 and extensions/v1beta1 show it: backends name a service and its port side by side.
import { servedAs } from '../served-version.ts'
import { ingressType } from '../networking/ingress.ts'
import type { Ingress, IngressBackend, IngressSpec } from '../networking/ingress.ts'
import type { KubeObject, ResourceType } from '../object.ts'

interface BetaBackend {
  readonly serviceName?: string
  readonly servicePort?: number | string
  readonly resource?: IngressBackend['resource']
}
interface BetaSpec extends Omit<IngressSpec, 'defaultBackend' | 'rules'> {
  readonly backend?: BetaBackend
  readonly rules?: readonly {
    readonly host?: string
    readonly http?: {
      readonly paths: readonly {
        readonly path?: string
        readonly pathType?: string
        readonly backend: BetaBackend
      }[]
    }
  }[]
}

export const betaIngressTypes: readonly ResourceType[] = [
  servedAs(ingressType, { version: 'v1beta1', toStorage, fromStorage }),
  // Without short names: they would be ambiguous.
  {
    ...servedAs(ingressType, { group: 'extensions', version: 'v1beta1', toStorage, fromStorage }),
    shortNames: [],
  },
]

function toStorage(object: KubeObject): KubeObject {
  // decodeObject has just checked it against the beta's schema.
  const { spec, ...rest } = object as KubeObject & { spec: BetaSpec }
  const { backend, rules, ...same } = spec
  const stored: IngressSpec = {
    ...same,
    ...(backend === undefined ? {} : { defaultBackend: storedBackend(backend) }),
    ...withPaths(rules, (path) => ({
      pathType: 'ImplementationSpecific',
      ...path,
      backend: storedBackend(path.backend),
    })),
  }
  return { ...rest, spec: stored } as KubeObject
}

function fromStorage(object: KubeObject): KubeObject {
  const { spec, ...rest } = object as Ingress
  const { defaultBackend, rules, ...same } = spec
  const shown: BetaSpec = {
    ...same,
    ...(defaultBackend === undefined ? {} : { backend: betaBackend(defaultBackend) }),
    ...withPaths(rules, (path) => ({ ...path, backend: betaBackend(path.backend) })),
  }
  return { ...rest, spec: shown } as KubeObject
}

interface Rule<Path> {
  readonly host?: string
  readonly http?: { readonly paths: readonly Path[] }
}

/** Rules with each of their paths converted; none where there are none. */
function withPaths<From, To>(
  rules: readonly Rule<From>[] | undefined,
  convert: (path: From) => To,
): { readonly rules?: readonly Rule<To>[] } {
  if (rules === undefined) return {}
  return {
    rules: rules.map(({ http, ...rule }) => ({
      ...rule,
      ...(http === undefined ? {} : { http: { paths: http.paths.map(convert) } }),
    })),
  }
}

const storedBackend = ({ serviceName, servicePort, resource }: BetaBackend): IngressBackend => ({
  ...(serviceName === undefined && servicePort === undefined
    ? {}
    : {
        service: {
          name: serviceName ?? '',
          port:
            typeof servicePort === 'string' ? { name: servicePort } : { number: servicePort ?? 0 },
        },
      }),
  ...(resource === undefined ? {} : { resource }),
})

const betaBackend = ({ service, resource }: IngressBackend): BetaBackend => {
  const port = service?.port?.name ?? service?.port?.number
  return {
    ...(service === undefined ? {} : { serviceName: service.name }),
    ...(port === undefined ? {} : { servicePort: port }),
    ...(resource === undefined ? {} : { resource }),
  }
}
