// The variables that tell a container where the Services of its namespace are, in the form that Docker once gave links.
import type { Service, ServicePort } from '../../resources/service.ts'

/** An environment has an end. */
const servicesMax = 500

const nameOf = (text: string): string => text.toUpperCase().replaceAll('-', '_')

/** Of those that have an address. */
export const serviceVariables = (services: readonly Service[]): [name: string, value: string][] =>
  services
    .filter(({ spec }) => (spec.clusterIP ?? '') !== '' && spec.clusterIP !== 'None')
    .slice(0, servicesMax)
    .flatMap(({ metadata, spec }): [string, string][] => {
      const { clusterIP: host = '', ports = [] } = spec
      const name = nameOf(metadata.name ?? '')
      const [first] = ports
      if (first === undefined) return []
      return [
        [`${name}_SERVICE_HOST`, host],
        [`${name}_SERVICE_PORT`, String(first.port)],
        ...ports
          .filter((port) => (port.name ?? '') !== '')
          .map(({ name: portName = '', port }): [string, string] => [
            `${name}_SERVICE_PORT_${nameOf(portName)}`,
            String(port),
          ]),
        [`${name}_PORT`, address(host, first)],
        ...ports.flatMap((port): [string, string][] => {
          const prefix = `${name}_PORT_${port.port}_${nameOf(port.protocol ?? 'TCP')}`
          return [
            [prefix, address(host, port)],
            [`${prefix}_PROTO`, (port.protocol ?? 'TCP').toLowerCase()],
            [`${prefix}_PORT`, String(port.port)],
            [`${prefix}_ADDR`, host],
          ]
        }),
      ]
    })

const address = (host: string, { port, protocol = 'TCP' }: ServicePort): string =>
  `${protocol.toLowerCase()}://${host}:${port}`
