// The environment of a container: what the host lends, what the pod is, envFrom, then env, each able to use those before it. The agent's
// own environment is not passed on: it may hold secrets.
import { envNameProblems } from '../../resources/names.ts'
import type { Container, EnvVar } from '../../resources/pod-spec/pod-spec.ts'
import type { ConfigKind, ConfigSource } from './config-source.ts'
import { expandVariables } from './expand-variables.ts'
import { inClusterEnvironment } from './in-cluster.ts'
import { serviceVariables } from './service-links.ts'
import { podField, resourceField, type PodPlace } from './pod-field.ts'

/** Taken over from the agent's environment, since programs on a host need them. */
const lentNames: readonly string[] = ['PATH', 'HOME', 'USER', 'LANG', 'TZ', 'TMPDIR']

/** Rejects with ConfigError when something that is named is missing. */
export async function containerEnvironment(
  container: Container,
  place: PodPlace,
  source: ConfigSource,
  rootDir: string,
): Promise<Record<string, string>> {
  const values = new Map<string, string>()
  for (const name of lentNames) {
    const value = process.env[name]
    if (value !== undefined) values.set(name, value)
  }
  values.set('HOSTNAME', place.pod.spec.hostname ?? place.pod.metadata.name)
  values.set('POD_IP', place.podIp)
  values.set('BALSA_POD_IP', place.podIp)
  values.set('BALSA_ROOT', rootDir)
  const { namespace = '' } = place.pod.metadata
  if (place.pod.spec.enableServiceLinks !== false) {
    const links = serviceVariables(await source.services())
    for (const [name, value] of links) values.set(name, value)
  }
  const api = await source.apiAddress()
  const inCluster = await inClusterEnvironment(container, api, { rootDir, namespace })
  for (const [name, value] of inCluster) values.set(name, value)
  for (const from of container.envFrom ?? []) {
    await addAll(values, 'configmap', from.configMapRef, from.prefix ?? '', source)
    await addAll(values, 'secret', from.secretRef, from.prefix ?? '', source)
  }
  for (const variable of container.env ?? []) {
    const value = await valueOf(variable, container, place, source, values)
    if (value !== undefined) values.set(variable.name, value)
  }
  return Object.fromEntries(values)
}

async function addAll(
  values: Map<string, string>,
  kind: ConfigKind,
  ref: { readonly name?: string; readonly optional?: boolean } | undefined,
  prefix: string,
  source: ConfigSource,
): Promise<void> {
  if (ref === undefined) return
  const data = await source.read(kind, ref.name ?? '', ref.optional ?? false)
  for (const [key, value] of data ?? []) {
    const name = `${prefix}${key}`
    if (envNameProblems(name).length === 0) values.set(name, value.toString())
  }
}

async function valueOf(
  variable: EnvVar,
  container: Container,
  place: PodPlace,
  source: ConfigSource,
  values: ReadonlyMap<string, string>,
): Promise<string | undefined> {
  const from = variable.valueFrom
  if (from === undefined) return expandVariables(variable.value ?? '', values)
  if (from.fieldRef !== undefined) return podField(from.fieldRef.fieldPath, place)
  if (from.resourceFieldRef !== undefined)
    return resourceField(from.resourceFieldRef, container.name, place)
  if (from.configMapKeyRef !== undefined)
    return (await source.readKey('configmap', from.configMapKeyRef))?.toString()
  if (from.secretKeyRef !== undefined)
    return (await source.readKey('secret', from.secretKeyRef))?.toString()
  return ''
}
