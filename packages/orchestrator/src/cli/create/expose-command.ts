// `balsa expose`, `run` and `autoscale`: a Service, a pod or an autoscaler, made of flags and of what is there.
import type { Command } from 'commander'
import type { Json, KubeObject } from '../../resources/object.ts'
import { ApiSession } from '../api-session.ts'
import { selectedObjects } from '../selected-objects.ts'
import { runVerb } from '../verb-failure.ts'
import { given, type Manifested, numberOrText, parsePairs } from './generator.ts'
import { createObject, type NewObjectOptions, withNewObject } from './new-object.ts'

interface ExposeOptions extends NewObjectOptions {
  readonly filename?: readonly string[]
  readonly port?: string
  readonly targetPort?: string
  readonly protocol?: string
  readonly name?: string
  readonly type?: string
  readonly selector?: string
  readonly labels?: string
  readonly clusterIp?: string
  readonly externalIp?: string
  readonly loadBalancerIp?: string
  readonly sessionAffinity?: string
}
interface AutoscaleOptions extends NewObjectOptions {
  readonly filename?: readonly string[]
  readonly min: number
  readonly max: number
  readonly cpuPercent: number
  readonly name?: string
}
interface Exposed extends KubeObject {
  readonly spec?: {
    readonly selector?: Readonly<Record<string, unknown>>
    readonly ports?: readonly Port[]
    readonly containers?: readonly Container[]
    readonly template?: {
      readonly metadata?: { readonly labels?: Readonly<Record<string, string>> }
      readonly spec?: { readonly containers?: readonly Container[] }
    }
  }
}
interface Container {
  readonly ports?: readonly Port[]
}
interface Port {
  readonly containerPort?: number
  readonly port?: number
  readonly protocol?: string
  readonly name?: string
}

export const registerExposeCommand = (
  program: Command,
  withSession: (command: Command) => Command,
): void => {
  withNewObject(withSession(program.command('expose')))
    .description('make a Service for pods, a workload, or another Service')
    .argument('[words...]', 'RESOURCE NAME, or RESOURCE/NAME')
    .option('-f, --filename <path...>', 'what these manifests name; - for stdin')
    .option('--port <port>', 'the port of the service; that of the containers where it is left out')
    .option('--target-port <port>', 'the port of the pods, by number or name')
    .option('--protocol <protocol>', 'TCP, UDP or SCTP')
    .option('--name <name>', 'the name of the service')
    .option('--type <type>', 'ClusterIP, NodePort, LoadBalancer or ExternalName')
    .option('--selector <labels>', 'the labels of the pods')
    .option('-l, --labels <labels>', 'the labels of the service')
    .option('--cluster-ip <address>', 'its address; None for none')
    .option('--external-ip <address>', 'an address from outside that leads to it')
    .option('--load-balancer-ip <address>', 'the address of its load balancer')
    .option('--session-affinity <how>', 'None or ClientIP')
    .action((words: string[], options: ExposeOptions) => runVerb(() => expose(words, options)))
  withNewObject(withSession(program.command('autoscale')))
    .description('let the number of pods follow their use of the processor')
    .argument('[words...]', 'RESOURCE NAME, or RESOURCE/NAME')
    .option('-f, --filename <path...>', 'what these manifests name; - for stdin')
    .requiredOption('--max <n>', 'the most pods', Number)
    .option('--min <n>', 'the least pods', Number, -1)
    .option('--cpu-percent <n>', 'how much of what they ask for they should use', Number, -1)
    .option('--name <name>', 'the name of the autoscaler')
    .action((words: string[], options: AutoscaleOptions) =>
      runVerb(() => autoscale(words, options)),
    )
}

const expose = async (words: readonly string[], options: ExposeOptions): Promise<void> => {
  using session = new ApiSession(options)
  const { filename, namespace: asked } = options
  for (const target of await selectedObjects(session, { words, filename, namespace: asked })) {
    const { resource, namespace, name } = target
    const object = await session.client.get<Exposed>(resource.ref, namespace, name)
    const selector =
      options.selector === undefined ? selectorOf(object, resource.kind) : pairs(options.selector)
    const ports = portsOf(object, options)
    if (ports.length === 0 && options.clusterIp !== 'None')
      throw new Error("couldn't find port via --port flag or introspection")
    const labels = options.labels === undefined ? object.metadata.labels : pairs(options.labels)
    const service: Manifested = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: options.name ?? name, ...(labels === undefined ? {} : { labels }) },
      spec: given({
        selector,
        ports,
        type: options.type,
        clusterIP: options.clusterIp,
        externalIPs: options.externalIp === undefined ? undefined : [options.externalIp],
        loadBalancerIP: options.loadBalancerIp,
        sessionAffinity: options.sessionAffinity,
      }),
    }
    await createObject(session, service, options, 'exposed')
  }
}

const pairs = (text: string): Record<string, string> =>
  parsePairs(text, (part) => new Error(`unexpected label spec: ${part}`))

const selectorOf = (object: Exposed, kind: string): Record<string, string> => {
  const { spec, metadata } = object
  switch (kind) {
    case 'Pod':
      if (Object.keys(metadata.labels ?? {}).length === 0)
        throw new Error(
          "couldn't retrieve selectors via --selector flag or introspection: the pod has no labels and cannot be exposed",
        )
      return { ...metadata.labels }
    case 'Service':
    case 'ReplicationController':
      if (spec?.selector === undefined)
        throw new Error(
          "couldn't retrieve selectors via --selector flag or introspection: the service has no pod selector set",
        )
      return spec.selector as Record<string, string>
    case 'Deployment':
    case 'ReplicaSet': {
      const { matchLabels, matchExpressions } = spec?.selector ?? {}
      if (Array.isArray(matchExpressions) && matchExpressions.length > 0)
        throw new Error(
          `couldn't retrieve selectors via --selector flag or introspection: couldn't convert expressions - "${JSON.stringify(matchExpressions)}" to map-based selector format`,
        )
      return matchLabels as Record<string, string>
    }
    default:
      throw new Error(`cannot expose a ${kind}`)
  }
}

const portsOf = ({ spec }: Exposed, options: ExposeOptions): Json[] => {
  const { port: asked, targetPort, protocol } = options
  const containers = spec?.containers ?? spec?.template?.spec?.containers ?? []
  const found = spec?.ports ?? containers.flatMap(({ ports = [] }) => ports)
  const numbers =
    asked?.split(',') ?? found.map((each) => String(each.containerPort ?? each.port ?? ''))
  return numbers.map((text, index) => {
    const number = Number(text)
    const known = found.find((each) => (each.containerPort ?? each.port) === number)
    return given({
      name: numbers.length > 1 ? `port-${index + 1}` : undefined,
      port: number,
      protocol: protocol ?? known?.protocol ?? 'TCP',
      targetPort: targetPort === undefined ? number : numberOrText(targetPort),
    })
  })
}

const autoscale = async (words: readonly string[], options: AutoscaleOptions): Promise<void> => {
  const { min, max, cpuPercent, filename, namespace: asked } = options
  if (max < 1) throw new Error(`--max=MAXPODS is required and must be at least 1, max: ${max}`)
  if (max < min)
    throw new Error(
      `--max=MAXPODS must be larger or equal to --min=MINPODS, max: ${max}, min: ${min}`,
    )
  using session = new ApiSession(options)
  for (const target of await selectedObjects(session, { words, filename, namespace: asked })) {
    const { resource, namespace, name } = target
    if (
      !['Deployment', 'ReplicaSet', 'StatefulSet', 'ReplicationController'].includes(resource.kind)
    )
      throw new Error(
        `cannot autoscale a ${resource.kind}: could not find scale subresource for ${resource.ref.group}/${resource.ref.version}, Resource=${resource.ref.plural} in discovery information`,
      )
    const { apiVersion, kind } = await session.client.get(resource.ref, namespace, name)
    const cpu = {
      type: 'Resource',
      resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: cpuPercent } },
    }
    const autoscaler: Manifested = {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: options.name ?? name },
      spec: given({
        scaleTargetRef: { apiVersion, kind, name },
        minReplicas: min < 0 ? undefined : min,
        maxReplicas: max,
        metrics: cpuPercent < 0 ? undefined : [cpu],
      }),
    }
    await createObject(session, autoscaler, options, 'autoscaled')
  }
}
