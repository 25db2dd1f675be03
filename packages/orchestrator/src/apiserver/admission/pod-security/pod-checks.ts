// What the Pod Security Standards ask of a pod, in upstream's words. `baseline` keeps known ways out of a pod shut; `restricted` asks for
// a hardened pod besides.
import type { PodSpec } from '../../../resources/pod-spec/pod-spec.ts'

export type PodSecurityLevel = 'privileged' | 'baseline' | 'restricted'
export const podSecurityLevels: readonly PodSecurityLevel[] = [
  'privileged',
  'baseline',
  'restricted',
]

interface SecurityContext {
  readonly privileged?: boolean
  readonly allowPrivilegeEscalation?: boolean
  readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] }
  readonly runAsNonRoot?: boolean
  readonly runAsUser?: number
  readonly seccompProfile?: { readonly type?: string }
  readonly seLinuxOptions?: {
    readonly type?: string
    readonly user?: string
    readonly role?: string
  }
  readonly procMount?: string
  readonly sysctls?: readonly { readonly name: string }[]
  readonly windowsOptions?: { readonly hostProcess?: boolean }
}
interface CheckedContainer {
  readonly name: string
  readonly securityContext?: SecurityContext
  readonly ports?: readonly { readonly hostPort?: number }[]
}
interface CheckedSpec {
  readonly hostNetwork?: boolean
  readonly hostPID?: boolean
  readonly hostIPC?: boolean
  readonly securityContext?: SecurityContext
  readonly volumes?: readonly ({ readonly name: string } & Readonly<Record<string, unknown>>)[]
  readonly all: readonly CheckedContainer[]
}

/** undefined: the pod passes. */
type Check = (spec: CheckedSpec) => string | undefined

/** What is wrong, in the order of upstream; nothing when all is right. */
export const podSecurityProblems = (level: PodSecurityLevel, spec: PodSpec): string[] => {
  if (level === 'privileged') return []
  const checked = {
    ...spec,
    all: [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])],
  } as unknown as CheckedSpec
  const checks = level === 'baseline' ? baseline : [...baselineUnderRestricted, ...restricted]
  return checks.map((check) => check(checked)).filter((text) => text !== undefined)
}

const quoted = (names: readonly string[]): string =>
  names.map((name) => JSON.stringify(name)).join(', ')
const many = (word: string, names: readonly string[]): string =>
  `${word}${names.length === 1 ? '' : 's'} ${quoted(names)}`

const namesOf = (
  { all }: CheckedSpec,
  isBad: (context: SecurityContext, container: CheckedContainer) => boolean,
): string[] =>
  all.filter((one) => isBad(one.securityContext ?? {}, one)).map((container) => container.name)

const hostNamespaces: Check = ({ hostNetwork, hostPID, hostIPC }) => {
  const set = [
    ...(hostNetwork === true ? ['hostNetwork=true'] : []),
    ...(hostPID === true ? ['hostPID=true'] : []),
    ...(hostIPC === true ? ['hostIPC=true'] : []),
  ]
  return set.length === 0 ? undefined : `host namespaces (${set.join(', ')})`
}

const privileged: Check = (spec) => {
  const names = namesOf(spec, (context) => context.privileged === true)
  return names.length === 0
    ? undefined
    : `privileged (${many('container', names)} must not set securityContext.privileged=true)`
}

const defaultCapabilities = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
])

const addedBeyond = (spec: CheckedSpec, allowed: ReadonlySet<string>): string | undefined => {
  const added = (context: SecurityContext): string[] =>
    (context.capabilities?.add ?? []).filter((one) => !allowed.has(one))
  const names = namesOf(spec, (context) => added(context).length > 0)
  if (names.length === 0) return undefined
  const all = new Set(spec.all.flatMap((one) => added(one.securityContext ?? {})))
  return `${many('container', names)} must not include ${quoted([...all].toSorted())} in securityContext.capabilities.add`
}

const capabilities: Check = (spec) => {
  const text = addedBeyond(spec, defaultCapabilities)
  return text === undefined ? undefined : `non-default capabilities (${text})`
}

const hostPathVolumes: Check = ({ volumes = [] }) => {
  const names = volumes.filter((one) => one['hostPath'] !== undefined).map(({ name }) => name)
  return names.length === 0 ? undefined : `hostPath volumes (${many('volume', names)})`
}

const hostPorts: Check = (spec) => {
  const used = (one: CheckedContainer): number[] =>
    (one.ports ?? []).map(({ hostPort = 0 }) => hostPort).filter((port) => port !== 0)
  const names = namesOf(spec, (_context, one) => used(one).length > 0)
  if (names.length === 0) return undefined
  const ports = [...new Set(spec.all.flatMap(used))].toSorted((a, b) => a - b)
  const uses = `${names.length === 1 ? 'uses' : 'use'} hostPort${ports.length === 1 ? '' : 's'}`
  return `hostPort (${many('container', names)} ${uses} ${ports.join(', ')})`
}

const seLinuxTypes = new Set([
  '',
  'container_t',
  'container_init_t',
  'container_kvm_t',
  'container_engine_t',
])
const seLinux: Check = (spec) => {
  const isBad = ({ seLinuxOptions }: SecurityContext): boolean =>
    seLinuxOptions !== undefined &&
    (!seLinuxTypes.has(seLinuxOptions.type ?? '') ||
      (seLinuxOptions.user ?? '') !== '' ||
      (seLinuxOptions.role ?? '') !== '')
  const names = namesOf(spec, isBad)
  const setters = [
    ...(isBad(spec.securityContext ?? {}) ? ['pod'] : []),
    ...(names.length === 0 ? [] : [many('container', names)]),
  ]
  return setters.length === 0
    ? undefined
    : `seLinuxOptions (${setters.join(' and ')} set forbidden securityContext.seLinuxOptions)`
}

const procMount: Check = (spec) => {
  const names = namesOf(spec, (context) => (context.procMount ?? 'Default') !== 'Default')
  return names.length === 0
    ? undefined
    : `procMount (${many('container', names)} must not set securityContext.procMount to "Unmasked")`
}

const seccompBaseline: Check = (spec) => {
  const isBad = ({ seccompProfile }: SecurityContext): boolean =>
    seccompProfile !== undefined && !seccompAllowed.has(seccompProfile.type ?? '')
  const names = namesOf(spec, isBad)
  const setters = [
    ...(isBad(spec.securityContext ?? {}) ? ['pod'] : []),
    ...(names.length === 0 ? [] : [many('container', names)]),
  ]
  return setters.length === 0
    ? undefined
    : `seccompProfile (${setters.join(' and ')} must not set securityContext.seccompProfile.type to "Unconfined")`
}

const safeSysctls = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
])
const sysctls: Check = ({ securityContext }) => {
  const bad = (securityContext?.sysctls ?? [])
    .map(({ name }) => name)
    .filter((name) => !safeSysctls.has(name))
  return bad.length === 0 ? undefined : `forbidden sysctls (${bad.join(', ')})`
}

const hostProcess: Check = (spec) => {
  const isBad = (context: SecurityContext): boolean => context.windowsOptions?.hostProcess === true
  const names = namesOf(spec, isBad)
  if (names.length === 0 && !isBad(spec.securityContext ?? {})) return undefined
  const setter = names.length === 0 ? 'pod' : many('container', names)
  return `hostProcess (${setter} must not set securityContext.windowsOptions.hostProcess=true)`
}

const restrictedVolumeTypes = new Set([
  'name',
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
])
const restrictedVolumes: Check = ({ volumes = [] }) => {
  const typeOf = (volume: Readonly<Record<string, unknown>>): string | undefined =>
    Object.keys(volume).find((key) => !restrictedVolumeTypes.has(key))
  const bad = volumes.filter((volume) => typeOf(volume) !== undefined)
  if (bad.length === 0) return undefined
  const types = [...new Set(bad.map((volume) => typeOf(volume) ?? ''))].toSorted()
  const uses = `${bad.length === 1 ? 'uses' : 'use'} restricted volume type${types.length === 1 ? '' : 's'}`
  return `restricted volume types (${many(
    'volume',
    bad.map(({ name }) => name),
  )} ${uses} ${quoted(types)})`
}

const privilegeEscalation: Check = (spec) => {
  const names = namesOf(spec, (context) => context.allowPrivilegeEscalation !== false)
  return names.length === 0
    ? undefined
    : `allowPrivilegeEscalation != false (${many('container', names)} must set securityContext.allowPrivilegeEscalation=false)`
}

const runAsNonRoot: Check = (spec) => {
  const ofPod = spec.securityContext?.runAsNonRoot
  const explicit = namesOf(spec, (context) => context.runAsNonRoot === false)
  if (explicit.length > 0) {
    return `runAsNonRoot != true (${many('container', explicit)} must not set securityContext.runAsNonRoot=false)`
  }
  if (ofPod === true) return undefined
  const silent = namesOf(spec, (context) => context.runAsNonRoot === undefined)
  if (silent.length === 0) return undefined
  return `runAsNonRoot != true (pod or ${many('container', silent)} must set securityContext.runAsNonRoot=true)`
}

const runAsUser: Check = (spec) => {
  const names = namesOf(spec, (context) => context.runAsUser === 0)
  const setters = [
    ...(spec.securityContext?.runAsUser === 0 ? ['pod'] : []),
    ...(names.length === 0 ? [] : [many('container', names)]),
  ]
  return setters.length === 0
    ? undefined
    : `runAsUser=0 (${setters.join(' and ')} must not set runAsUser=0)`
}

const seccompAllowed = new Set(['RuntimeDefault', 'Localhost'])
const seccompRestricted: Check = (spec) => {
  const explicit = seccompBaseline(spec)
  if (explicit !== undefined) return explicit
  if (spec.securityContext?.seccompProfile !== undefined) return undefined
  const silent = namesOf(spec, (context) => context.seccompProfile === undefined)
  return silent.length === 0
    ? undefined
    : `seccompProfile (pod or ${many('container', silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")`
}

const capabilitiesRestricted: Check = (spec) => {
  const keeping = namesOf(spec, (context) => !(context.capabilities?.drop ?? []).includes('ALL'))
  const added = addedBeyond(spec, new Set(['NET_BIND_SERVICE']))
  const texts = [
    ...(keeping.length === 0
      ? []
      : [`${many('container', keeping)} must set securityContext.capabilities.drop=["ALL"]`]),
    ...(added === undefined ? [] : [added]),
  ]
  return texts.length === 0 ? undefined : `unrestricted capabilities (${texts.join('; ')})`
}

/** Those of baseline that restricted does not ask in stricter words. */
const baselineUnderRestricted: readonly Check[] = [
  hostNamespaces,
  privileged,
  hostPorts,
  seLinux,
  procMount,
  sysctls,
  hostProcess,
]
const baseline: readonly Check[] = [
  hostNamespaces,
  privileged,
  capabilities,
  hostPathVolumes,
  hostPorts,
  seLinux,
  procMount,
  seccompBaseline,
  sysctls,
  hostProcess,
]
const restricted: readonly Check[] = [
  privilegeEscalation,
  capabilitiesRestricted,
  restrictedVolumes,
  runAsNonRoot,
  runAsUser,
  seccompRestricted,
]
