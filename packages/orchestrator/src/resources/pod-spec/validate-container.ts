// The rules for one container of a pod.
import { dns1123LabelProblems, portNameProblems, portNumberProblems } from '../names.ts'
import type { FieldError } from '../object.ts'
import {
  duplicate,
  forbidden,
  invalid,
  invalidEach,
  notEmpty,
  notFound,
  notSupported,
  oneOf,
  required,
} from '../validation/field-error.ts'
import { portProtocols } from '../validation/validate-port.ts'
import type { Container, ContainerPort, VolumeMount } from './pod-spec.ts'
import { validateEnv } from './validate-env.ts'
import { validateHandler, validateProbe } from './validate-probe.ts'
import { validateResources } from './validate-resources.ts'

const pullPolicies: readonly string[] = ['Always', 'IfNotPresent', 'Never']
const messagePolicies: readonly string[] = ['File', 'FallbackToLogsOnError']

export interface ContainerPlace {
  readonly path: string
  /** The volumes of the pod. */
  readonly volumeNames: ReadonlySet<string>
  readonly isInit: boolean
}

export const validateContainer = (container: Container, place: ContainerPlace): FieldError[] => {
  const { path } = place
  const { name, image = '' } = container
  return [
    ...(name === ''
      ? [required(`${path}.name`)]
      : invalidEach(`${path}.name`, name, dns1123LabelProblems(name))),
    ...validateImage(image, `${path}.image`),
    ...validatePorts(container.ports ?? [], `${path}.ports`),
    ...validateEnv(container, path),
    ...validateMounts(container.volumeMounts ?? [], place),
    ...validateResources(container.resources, `${path}.resources`),
    ...validateProbes(container, place),
    ...oneOf(`${path}.imagePullPolicy`, container.imagePullPolicy, pullPolicies),
    ...oneOf(
      `${path}.terminationMessagePolicy`,
      container.terminationMessagePolicy,
      messagePolicies,
    ),
    ...validateRestartPolicy(container, place),
  ]
}

const validateImage = (image: string, field: string): FieldError[] =>
  image !== image.trim() && image.trim() !== ''
    ? [invalid(field, image, 'must not have leading or trailing whitespace')]
    : notEmpty(field, image.trim())

const validatePorts = (ports: readonly ContainerPort[], path: string): FieldError[] => {
  const names = new Set<string>()
  return ports.flatMap((port, index) => {
    const at = `${path}[${index}]`
    const { name = '', containerPort, hostPort, protocol = '' } = port
    const errors = [
      ...(name === '' ? [] : invalidEach(`${at}.name`, name, portNameProblems(name))),
      ...(containerPort === 0
        ? [required(`${at}.containerPort`)]
        : invalidEach(`${at}.containerPort`, containerPort, portNumberProblems(containerPort))),
      ...(hostPort === undefined || hostPort === 0
        ? []
        : invalidEach(`${at}.hostPort`, hostPort, portNumberProblems(hostPort))),
      ...oneOf(`${at}.protocol`, protocol, portProtocols),
    ]
    if (name !== '' && names.has(name)) errors.push(duplicate(`${at}.name`, name))
    names.add(name)
    return errors
  })
}

const validateMounts = (mounts: readonly VolumeMount[], place: ContainerPlace): FieldError[] => {
  const paths = new Set<string>()
  return mounts.flatMap((mount, index) => {
    const at = `${place.path}.volumeMounts[${index}]`
    const errors = [
      ...notEmpty(`${at}.name`, mount.name),
      ...(mount.name === '' || place.volumeNames.has(mount.name)
        ? []
        : [notFound(`${at}.name`, mount.name)]),
      ...notEmpty(`${at}.mountPath`, mount.mountPath),
      ...((mount.subPath ?? '').split('/').includes('..')
        ? [invalid(`${at}.subPath`, mount.subPath, "must not contain '..'")]
        : []),
    ]
    if (paths.has(mount.mountPath)) {
      errors.push(invalid(`${at}.mountPath`, mount.mountPath, 'must be unique'))
    }
    paths.add(mount.mountPath)
    return errors
  })
}

const validateProbes = (container: Container, place: ContainerPlace): FieldError[] => {
  const { path, isInit } = place
  const runsOnce = isInit && container.restartPolicy !== 'Always'
  const { lifecycle } = container
  const probes = (['livenessProbe', 'readinessProbe', 'startupProbe'] as const).flatMap((field) => {
    const probe = container[field]
    if (probe === undefined) return []
    if (runsOnce) {
      return [
        forbidden(
          `${path}.${field}`,
          'may not be set for init containers without restartPolicy=Always',
        ),
      ]
    }
    return validateProbe(probe, `${path}.${field}`, field !== 'readinessProbe')
  })
  if (lifecycle === undefined) return probes
  if (runsOnce) {
    return [
      ...probes,
      forbidden(
        `${path}.lifecycle`,
        'may not be set for init containers without restartPolicy=Always',
      ),
    ]
  }
  const hooks = (['postStart', 'preStop'] as const).flatMap((field) => {
    const handler = lifecycle[field]
    return handler === undefined ? [] : validateHandler(handler, `${path}.lifecycle.${field}`)
  })
  return [...probes, ...hooks]
}

const validateRestartPolicy = (container: Container, place: ContainerPlace): FieldError[] => {
  const { restartPolicy } = container
  if (restartPolicy === undefined) return []
  if (!place.isInit) {
    return [forbidden(`${place.path}.restartPolicy`, 'may not be set for non-init containers')]
  }
  return restartPolicy === 'Always'
    ? []
    : [notSupported(`${place.path}.restartPolicy`, restartPolicy, ['Always'])]
}
