// What acts on the objects of one apiserver: controllers and scheduler, always or while this copy leads.
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { componentUser, controllerUser } from './apiserver/access/user.ts'
import type { ApiServer } from './apiserver/api-server.ts'
import type { CertificateIssuer } from './loop/controllers/certificate-controller.ts'
import { Leading, type ElectionTimes } from './loop/leading.ts'
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

/** Resolves when both work, or, with an election, when both are candidates. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<Part> {
  const { server, election, onError } = options
  const { clientAs, nodes } = server
  const manager = clientAs(componentUser('system:kube-controller-manager'))
  const scheduler = clientAs(componentUser('system:kube-scheduler'))
  const parts: { readonly name: string; readonly start: () => Promise<Part> }[] = [
    {
      name: 'kube-controller-manager',
      start: () =>
        startControllers({
          kinds: server.kinds,
          rootCertificate: server.certificates.ca.certificate,
          client: manager,
          clientOf: (controller) => clientAs(controllerUser(controller)),
          issuer: issuerOf(server),
          metrics: nodeMetrics(nodes),
          removeVolume: async (nodeName, path) => nodes.get(nodeName).removeVolume?.(path),
          onError,
        }),
    },
    { name: 'kube-scheduler', start: () => startScheduler({ client: scheduler, onError }) },
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
