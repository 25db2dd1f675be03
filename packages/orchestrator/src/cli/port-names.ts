// Which port of a pod is meant by a port of it or of the Service before it, by number or by name.
import type { ResourceRef } from '../client/api-client.ts'
import type { KubeObject } from '../resources/object.ts'
import type { ApiSession } from './api-session.ts'
import { podsRef } from './find-pod.ts'
import { parseObjectArguments } from './object-arguments.ts'

interface Pod extends KubeObject {
  readonly spec?: {
    readonly containers?: readonly {
      readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[]
    }[]
  }
}
interface Service extends KubeObject {
  readonly spec?: {
    readonly clusterIP?: string
    readonly ports?: readonly {
      readonly name?: string
      readonly port: number
      readonly targetPort?: number | string
    }[]
  }
}

const services: ResourceRef = { group: '', version: 'v1', plural: 'services' }
const portMax = 65_535

/** `word` is what the user named, `pod` what was found for it. What is returned throws Error for a port that is not there. */
export const targetOf = async (
  session: ApiSession,
  word: string,
  pod: string,
): Promise<(port: string) => number> => {
  const object = await session.client.get<Pod>(podsRef, session.namespace, pod)
  const [argument] = word.includes('/') ? parseObjectArguments(await session.served(), [word]) : []
  const { resource, name } = argument ?? {}
  if (resource?.ref.plural !== services.plural || name === undefined)
    return (port) => containerPort(object, port)
  const service = await session.client.get<Service>(services, session.namespace, name)
  return (port) => servicePort(service, object, port)
}

const isNumber = (text: string): boolean => /^\d+$/.test(text)

const containerPort = (pod: Pod, port: string): number => {
  if (isNumber(port)) return checked(Number(port))
  const ports = (pod.spec?.containers ?? []).flatMap(({ ports: own = [] }) => own)
  const found = ports.find(({ name }) => name === port)
  if (found === undefined)
    throw new Error(`Pod '${pod.metadata.name ?? ''}' does not have a named port '${port}'`)
  return found.containerPort
}

const servicePort = (service: Service, pod: Pod, port: string): number => {
  const { clusterIP, ports = [] } = service.spec ?? {}
  const found = ports.find((one) =>
    isNumber(port) ? one.port === Number(port) : one.name === port,
  )
  const name = service.metadata.name ?? ''
  if (found === undefined)
    throw new Error(
      isNumber(port)
        ? `Service ${name} does not have a service port ${port}`
        : `Service '${name}' does not have a named port '${port}'`,
    )
  // Without an address of its own, a Service leads to its pods' ports as they are.
  if (clusterIP === 'None') return checked(found.port)
  const target = found.targetPort ?? found.port
  return containerPort(pod, String(target === 0 ? found.port : target))
}

const checked = (port: number): number => {
  if (port < 1 || port > portMax) throw new Error(`port ${port} is not within 1 and ${portMax}`)
  return port
}
