// Prepares the volumes of a pod. Processes see the host's file system, so a volume cannot appear at an absolute mountPath; it appears below
// the pod's root folder instead, which is the working folder of its containers and is in $BALSA_ROOT: `mountPath: /etc/app` is
// `$BALSA_ROOT/etc/app`. Every mount is a symbolic link; readOnly is not enforced.
import { mkdir, stat, writeFile } from 'node:fs/promises'
import { dirname, normalize, sep } from 'node:path'
import type {
  Container,
  DownwardApiFile,
  KeyToPath,
  Volume,
  VolumeMount,
  VolumeProjection,
} from '../../resources/pod-spec/pod-spec.ts'
import type { Stored } from '../../resources/object.ts'
import type { PersistentVolume } from '../../resources/storage/persistent-volume.ts'
import { isMissing } from '../runtime/process-identity.ts'
import { claimedFolder } from './claimed-volume.ts'
import { ConfigError, type ConfigKind, type ConfigSource } from './config-source.ts'
import { expandVariables } from './expand-variables.ts'
import { inside, replaceLink } from './paths.ts'
import { podField, resourceField, type PodPlace } from './pod-field.ts'
import { writeVolume, type VolumeFile } from './write-volume.ts'

const defaultMode = 0o644
const tokenMode = 0o600

/** Makes every volume of the pod; safe to repeat. Rejects with ConfigError (a kubelet's FailedMount). */
export async function prepareVolumes(
  place: PodPlace,
  source: ConfigSource,
  volumesDir: string,
): Promise<void> {
  for (const volume of place.pod.spec.volumes ?? []) {
    try {
      await prepareVolume(volume, place, source, inside(volumesDir, volume.name))
    } catch (reason) {
      if (!(reason instanceof ConfigError)) throw reason
      const text = `MountVolume.SetUp failed for volume "${volume.name}" : ${reason.message}`
      throw new ConfigError(text, { cause: reason })
    }
  }
}

async function prepareVolume(
  volume: Volume,
  place: PodPlace,
  source: ConfigSource,
  folder: string,
): Promise<void> {
  if (volume.hostPath !== undefined) await prepareHostPath(volume.hostPath, folder)
  else if (volume.persistentVolumeClaim !== undefined)
    await prepareClaimed(await source.volume(volume.persistentVolumeClaim.claimName), folder)
  else if (volume.emptyDir !== undefined) await mkdir(folder, { recursive: true, mode: 0o777 })
  else await writeVolume(folder, await volumeFiles(volume, place, source))
}

const isFilled = ({ configMap, secret, downwardAPI, projected }: Volume): boolean =>
  (configMap ?? secret ?? downwardAPI ?? projected) !== undefined

/** Whether the pod has volumes whose files follow objects. */
export const hasFilledVolumes = ({ pod }: PodPlace): boolean =>
  pod.spec.volumes?.some(isFilled) ?? false

/** Brings such volumes to what their objects are now; those whose objects are gone stay as they are. */
export async function refreshVolumes(
  place: PodPlace,
  source: ConfigSource,
  volumesDir: string,
): Promise<void> {
  for (const volume of (place.pod.spec.volumes ?? []).filter(isFilled)) {
    try {
      const files = await volumeFiles(volume, place, source)
      await writeVolume(inside(volumesDir, volume.name), files)
    } catch (reason) {
      if (!(reason instanceof ConfigError)) throw reason
    }
  }
}

/** Links the volumes of one container below `rootDir`. */
export async function mountVolumes(
  container: Container,
  dirs: { readonly rootDir: string; readonly volumesDir: string },
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const values = new Map(Object.entries(env))
  const depth = ({ mountPath }: VolumeMount): number => normalize(mountPath).split(sep).length
  // What is mounted below another volume comes after it.
  for (const mount of (container.volumeMounts ?? []).toSorted((a, b) => depth(a) - depth(b))) {
    const volumeDir = inside(dirs.volumesDir, mount.name)
    const { subPathExpr, subPath = '' } = mount
    const path = subPathExpr === undefined ? subPath : expandVariables(subPathExpr, values)
    const target = path === '' ? volumeDir : inside(volumeDir, path)
    if (path !== '') await makeSubPath(target)
    const link = inside(dirs.rootDir, mount.mountPath)
    if (link === dirs.rootDir) throw new ConfigError('a volume cannot be mounted at /')
    await mkdir(dirname(link), { recursive: true })
    await replaceLink(link, target)
  }
}

/** A sub-path that is not there yet becomes a folder. */
async function makeSubPath(target: string): Promise<void> {
  try {
    await stat(target)
  } catch (reason) {
    if (!isMissing(reason)) throw reason
    await mkdir(target, { recursive: true, mode: 0o777 })
  }
}

async function prepareHostPath(
  hostPath: NonNullable<Volume['hostPath']>,
  link: string,
): Promise<void> {
  const { path, type = '' } = hostPath
  if (type === 'DirectoryOrCreate') await mkdir(path, { recursive: true })
  if (type === 'FileOrCreate') await writeFile(path, '', { flag: 'a' })
  if (type === 'Directory' || type === 'File') {
    const found = await stat(path).catch((reason: unknown) => {
      if (isMissing(reason)) return undefined
      throw reason
    })
    const isRight = type === 'Directory' ? found?.isDirectory() : found?.isFile()
    if (isRight !== true)
      throw new ConfigError(`hostPath type check failed: ${path} is not a ${type.toLowerCase()}`)
  }
  await mkdir(dirname(link), { recursive: true })
  await replaceLink(link, path)
}

async function prepareClaimed(volume: Stored<PersistentVolume>, link: string): Promise<void> {
  const path = await claimedFolder(volume)
  await mkdir(dirname(link), { recursive: true })
  await replaceLink(link, path)
}

async function volumeFiles(
  volume: Volume,
  place: PodPlace,
  source: ConfigSource,
): Promise<VolumeFile[]> {
  if (volume.configMap !== undefined) {
    const { name = '', defaultMode: mode, items, optional } = volume.configMap
    return configFiles('configmap', { name, mode, items, optional }, source)
  }
  if (volume.secret !== undefined) {
    const { secretName: name = '', defaultMode: mode, items, optional } = volume.secret
    return configFiles('secret', { name, mode, items, optional }, source)
  }
  if (volume.downwardAPI !== undefined)
    return downwardFiles(volume.downwardAPI.items ?? [], volume.downwardAPI.defaultMode, place)
  if (volume.projected !== undefined) {
    const files: VolumeFile[] = []
    for (const projection of volume.projected.sources ?? [])
      files.push(...(await projectedFiles(projection, volume.projected.defaultMode, place, source)))
    return files
  }
  throw new ConfigError(`volume "${volume.name}" is of a type that this agent does not serve`)
}

async function projectedFiles(
  projection: VolumeProjection,
  mode: number | undefined,
  place: PodPlace,
  source: ConfigSource,
): Promise<VolumeFile[]> {
  if (projection.configMap !== undefined)
    return configFiles('configmap', { name: '', ...projection.configMap, mode }, source)
  if (projection.secret !== undefined)
    return configFiles('secret', { name: '', ...projection.secret, mode }, source)
  if (projection.downwardAPI !== undefined)
    return downwardFiles(projection.downwardAPI.items ?? [], mode, place)
  if (projection.serviceAccountToken !== undefined) {
    const { path } = projection.serviceAccountToken
    const token = await source.token(place.pod, projection.serviceAccountToken)
    return [{ path, content: Buffer.from(token), mode: tokenMode }]
  }
  return []
}

async function configFiles(
  kind: ConfigKind,
  wanted: {
    readonly name: string
    readonly mode?: number | undefined
    readonly items?: readonly KeyToPath[] | undefined
    readonly optional?: boolean | undefined
  },
  source: ConfigSource,
): Promise<VolumeFile[]> {
  const data = await source.read(kind, wanted.name, wanted.optional ?? false)
  if (data === undefined) return []
  const keyed: readonly KeyToPath[] =
    wanted.items ?? [...data.keys()].map((key) => ({ key, path: key }))
  return keyed.flatMap(({ key, path, mode }) => {
    const content = data.get(key)
    if (content === undefined) {
      if (wanted.optional === true) return []
      throw new ConfigError(
        `references non-existent ${kind === 'secret' ? 'secret' : 'config'} key: ${key}`,
      )
    }
    // All volumes are below a folder that is for the owner alone.
    return [{ path, content, mode: mode ?? wanted.mode ?? defaultMode }]
  })
}

const downwardFiles = (
  items: readonly DownwardApiFile[],
  mode: number | undefined,
  place: PodPlace,
): VolumeFile[] =>
  items.map((item) => {
    const text =
      item.resourceFieldRef === undefined
        ? podField(item.fieldRef?.fieldPath ?? '', place)
        : resourceField(item.resourceFieldRef, '', place)
    return { path: item.path, content: Buffer.from(text), mode: item.mode ?? mode ?? defaultMode }
  })
