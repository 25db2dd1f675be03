// What upstream fills into a pod's spec on create and update (pkg/apis/core/v1/defaults.go). Applied twice, nothing changes.
import type {
  Container,
  ContainerPort,
  EnvVar,
  EnvVarSource,
  PodSpec,
  Probe,
  ResourceRequirements,
  Volume,
} from './pod-spec.ts'

export const defaultGracePeriodSeconds = 30

/** The defaults of a pod and of a template alike. */
export const podSpecDefaults = (spec: PodSpec): PodSpec => ({
  dnsPolicy: 'ClusterFirst',
  restartPolicy: 'Always',
  schedulerName: 'default-scheduler',
  securityContext: {},
  terminationGracePeriodSeconds: defaultGracePeriodSeconds,
  ...spec,
  ...sameServiceAccount(spec),
  containers: spec.containers.map(containerDefaults),
  ...(spec.initContainers === undefined
    ? {}
    : { initContainers: spec.initContainers.map(containerDefaults) }),
  ...(spec.ephemeralContainers === undefined
    ? {}
    : { ephemeralContainers: spec.ephemeralContainers.map(containerDefaults) }),
  ...(spec.volumes === undefined ? {} : { volumes: spec.volumes.map(volumeDefaults) }),
})

/** `serviceAccount` is the old spelling of `serviceAccountName`: both are kept alike. */
const sameServiceAccount = (spec: PodSpec): Partial<PodSpec> => {
  const name = spec.serviceAccountName ?? spec.serviceAccount
  return name === undefined ? {} : { serviceAccountName: name, serviceAccount: name }
}

const containerDefaults = (container: Container): Container => ({
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
  imagePullPolicy: pullPolicy(container.image ?? ''),
  ...container,
  resources: requestsFromLimits(container.resources),
  ...(container.ports === undefined ? {} : { ports: container.ports.map(portDefaults) }),
  ...(container.env === undefined ? {} : { env: container.env.map(envDefaults) }),
  ...probesDefaults(container),
})

/** `Always` for images that may change under their name: tagged `latest` or not at all. */
const pullPolicy = (image: string): string => {
  if (image.includes('@')) return 'IfNotPresent'
  const tag = /:([^/:]+)$/.exec(image)?.[1]
  return tag === undefined || tag === 'latest' ? 'Always' : 'IfNotPresent'
}

const requestsFromLimits = (resources: ResourceRequirements): ResourceRequirements =>
  resources.limits === undefined
    ? resources
    : { ...resources, requests: { ...resources.limits, ...resources.requests } }

const portDefaults = (port: ContainerPort): ContainerPort => ({
  ...port,
  protocol: port.protocol ?? 'TCP',
})

const envDefaults = (variable: EnvVar): EnvVar =>
  variable.valueFrom?.fieldRef === undefined
    ? variable
    : { ...variable, valueFrom: fieldVersionDefault(variable.valueFrom) }

const fieldVersionDefault = (source: EnvVarSource): EnvVarSource => {
  const { fieldRef } = source
  return fieldRef === undefined || fieldRef.apiVersion !== undefined
    ? source
    : { ...source, fieldRef: { ...fieldRef, apiVersion: 'v1' } }
}

const probesDefaults = (container: Container): Partial<Container> => {
  const { livenessProbe, readinessProbe, startupProbe, lifecycle } = container
  return {
    ...(livenessProbe === undefined ? {} : { livenessProbe: probeDefaults(livenessProbe) }),
    ...(readinessProbe === undefined ? {} : { readinessProbe: probeDefaults(readinessProbe) }),
    ...(startupProbe === undefined ? {} : { startupProbe: probeDefaults(startupProbe) }),
    ...(lifecycle === undefined
      ? {}
      : {
          lifecycle: {
            ...lifecycle,
            ...(lifecycle.postStart === undefined
              ? {}
              : { postStart: httpDefaults(lifecycle.postStart) }),
            ...(lifecycle.preStop === undefined
              ? {}
              : { preStop: httpDefaults(lifecycle.preStop) }),
          },
        }),
  }
}

/** 0 means "not said" for these numbers, as in Go. */
const probeDefaults = (probe: Probe): Probe => ({
  ...httpDefaults(probe),
  timeoutSeconds: orDefault(probe.timeoutSeconds, 1),
  periodSeconds: orDefault(probe.periodSeconds, 10),
  successThreshold: orDefault(probe.successThreshold, 1),
  failureThreshold: orDefault(probe.failureThreshold, 3),
})

const orDefault = (value: number | undefined, fallback: number): number =>
  value === undefined || value === 0 ? fallback : value

const httpDefaults = <T extends Pick<Probe, 'httpGet'>>(handler: T): T =>
  handler.httpGet === undefined
    ? handler
    : {
        ...handler,
        httpGet: {
          path: '/',
          scheme: 'HTTP',
          ...handler.httpGet,
        },
      }

const fileMode = 0o644
const volumeDefaults = (volume: Volume): Volume => {
  const { configMap, secret, downwardAPI, projected } = volume
  return {
    ...(hasSource(volume) ? {} : { emptyDir: {} }),
    ...volume,
    ...(configMap === undefined ? {} : { configMap: { defaultMode: fileMode, ...configMap } }),
    ...(secret === undefined ? {} : { secret: { defaultMode: fileMode, ...secret } }),
    ...(downwardAPI === undefined
      ? {}
      : { downwardAPI: { defaultMode: fileMode, ...downwardAPI } }),
    ...(projected === undefined ? {} : { projected: { defaultMode: fileMode, ...projected } }),
  }
}

/** A volume that says nothing but its name is an empty directory. */
const hasSource = (volume: Volume): boolean => Object.keys(volume).length > 1
