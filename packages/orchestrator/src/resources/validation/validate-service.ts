// The rules for a service's spec (upstream's ValidateService), for what Balsa serves of it.
import { dns1123LabelProblems, dns1123SubdomainProblems, portNumberProblems } from '../names.ts'
import type { FieldError } from '../object.ts'
import type { ServicePort, ServiceSpec } from '../service.ts'
import { duplicate, forbidden, invalid, notSupported, required } from './field-error.ts'
import { validateLabels } from './validate-metadata.ts'
import { portProtocols, portReferenceProblems } from './validate-port.ts'

const serviceTypes: readonly string[] = ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName']
const affinities: readonly string[] = ['ClientIP', 'None']
const addressPattern = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/

export const validateServiceSpec = (spec: ServiceSpec): FieldError[] => [
  ...validateServiceType(spec),
  ...validateLabels('spec.selector', spec.selector),
  ...validatePorts(spec),
  ...(affinities.includes(spec.sessionAffinity ?? '')
    ? []
    : [notSupported('spec.sessionAffinity', spec.sessionAffinity, affinities)]),
]

export const validateServiceUpdate = (spec: ServiceSpec, old: ServiceSpec): FieldError[] => {
  if (spec.type === 'ExternalName' || old.type === 'ExternalName') return []
  const had = old.clusterIP ?? ''
  return had === '' || spec.clusterIP === had
    ? []
    : [invalid('spec.clusterIPs[0]', [spec.clusterIP ?? ''], 'may not change once set')]
}

const validateServiceType = (spec: ServiceSpec): FieldError[] => {
  const type = spec.type ?? ''
  if (!serviceTypes.includes(type)) return [notSupported('spec.type', type, serviceTypes)]
  const address = spec.clusterIP ?? ''
  if (type === 'ExternalName') {
    const name = spec.externalName ?? ''
    return [
      ...(address === '' || address === 'None'
        ? []
        : [forbidden('spec.clusterIPs[0]', 'may not be set for ExternalName services')]),
      ...(name === ''
        ? [required('spec.externalName')]
        : dns1123SubdomainProblems(name.replace(/\.$/, '')).map((problem) =>
            invalid('spec.externalName', name, problem),
          )),
    ]
  }
  if (address === 'None' && type !== 'ClusterIP') {
    return [invalid('spec.clusterIPs[0]', address, `may not be set to 'None' for ${type} services`)]
  }
  return address === '' || address === 'None' || addressPattern.test(address)
    ? []
    : [
        invalid(
          'spec.clusterIPs[0]',
          address,
          'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
        ),
      ]
}

const validatePorts = (spec: ServiceSpec): FieldError[] => {
  const ports = spec.ports ?? []
  const headless = spec.clusterIP === 'None'
  if (ports.length === 0) {
    return headless || spec.type === 'ExternalName' ? [] : [required('spec.ports')]
  }
  const names = new Set<string>()
  const numbers = new Set<string>()
  return ports.flatMap((port, index) => {
    const path = `spec.ports[${index}]`
    const errors = validatePort(port, path, ports.length > 1)
    const name = port.name ?? ''
    if (name !== '' && names.has(name)) errors.push(duplicate(`${path}.name`, name))
    const number = `${port.protocol}:${port.port}`
    if (numbers.has(number)) {
      errors.push(duplicate(path, { port: port.port, protocol: port.protocol }))
    }
    names.add(name)
    numbers.add(number)
    return errors
  })
}

const validatePort = (port: ServicePort, path: string, nameRequired: boolean): FieldError[] => {
  const name = port.name ?? ''
  const protocol = port.protocol ?? ''
  const target = port.targetPort
  return [
    ...(name === ''
      ? nameRequired
        ? [required(`${path}.name`)]
        : []
      : dns1123LabelProblems(name).map((problem) => invalid(`${path}.name`, name, problem))),
    ...portNumberProblems(port.port).map((problem) => invalid(`${path}.port`, port.port, problem)),
    ...(portProtocols.includes(protocol)
      ? []
      : [notSupported(`${path}.protocol`, protocol, portProtocols)]),
    ...(target === undefined
      ? []
      : portReferenceProblems(target).map((problem) =>
          invalid(`${path}.targetPort`, target, problem),
        )),
  ]
}
