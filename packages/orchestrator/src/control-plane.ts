// What acts on the objects of one apiserver: controllers and scheduler, always or while this copy leads.
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { componentUser, controllerUser } from './apiserver/access/user.ts'
import type { ApiServer } from './apiserver/api-server.ts'
import type { CertificateIssuer } from './loop/controllers/certificate-controller.ts'
import type { ApiClient } from './client/api-client.ts'
import { fencedClient } from './client/fenced-client.ts'
import { Leading, type ElectionTimes, type Term } from './loop/leading.ts'
import { nodeMetrics } from './loop/node-metrics.ts'
import { startControllers } from './loop/start-controllers.ts'
import { startScheduler } from './loop/start-scheduler.ts'

export interface ControlPlaneOptions {
  readonly server: ApiServer
  /** Left out: it always acts. */
  readonly election?: ElectionTimes
  readonly onError: (error: unknown) => void
}

interface Part {
  close(): Promise<void>
}

/** The X.509 library is loaded with the first request. */
const issuerOf = ({ certificates }: ApiServer): CertificateIssuer => ({
  read: async (request) => (await import('./apiserver/pki/sign-request.ts')).readRequest(request),
  sign: async (order) =>
    (await import('./apiserver/pki/sign-request.ts')).signRequest(certificates.ca, order),
})

/** Acts while it lasts, and is not heard of afterwards; undefined: always. */
interface Reach {
  readonly through: (client: ApiClient) => ApiClient
  readonly signal?: AbortSignal
  readonly onError: (error: unknown) => void
}

const reachOf = (term: Term | undefined, onError: (error: unknown) => void): Reach => {
  if (term === undefined) return { through: (client) => client, onError }
  return {
    through: (client) => fencedClient(client, term.leading),
    signal: term.wanted,
    // Whatever is cut short when leading ends, the next leader does.
    onError: (error) => void (term.leading.aborted || onError(error)),
  }
}

/** Resolves when both work, or, with an election, when both are candidates. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<Part> {
  const { server, election, onError } = options
  const { clientAs, nodes } = server
  const manager = clientAs(componentUser('system:kube-controller-manager'))
  const scheduler = clientAs(componentUser('system:kube-scheduler'))
  const parts: { readonly name: string; readonly start: (term?: Term) => Promise<Part> }[] = [
    {
      name: 'kube-controller-manager',
      start: (term) => {
        const { through, ...reach } = reachOf(term, onError)
        return startControllers({
          kinds: server.kinds,
          rootCertificate: server.certificates.ca.certificate,
          client: through(manager),
          clientOf: (controller) => through(clientAs(controllerUser(controller))),
          issuer: issuerOf(server),
          metrics: nodeMetrics(nodes),
          telemetry: server.metrics,
          removeVolume: async (nodeName, path) => nodes.get(nodeName).removeVolume?.(path),
          ...reach,
        })
      },
    },
    {
      name: 'kube-scheduler',
      start: (term) => {
        const { through, ...reach } = reachOf(term, onError)
        return startScheduler({ client: through(scheduler), telemetry: server.metrics, ...reach })
      },
    },
  ]
  const started: Part[] = []
  const close = async (): Promise<void> => {
    for (const part of started.splice(0).reverse()) await part.close()
  }
  const identity = `${hostname()}_${randomUUID()}`
  try {
    for (const { name, start } of parts) {
      if (election === undefined) {
        started.push(await start())
        continue
      }
      const client = name === 'kube-scheduler' ? scheduler : manager
      const leading = new Leading({ ...election, client, name, identity, start, onError })
      leading.start()
      started.push(leading)
    }
  } catch (reason) {
    await close()
    throw reason
  }
  return { close }
}
