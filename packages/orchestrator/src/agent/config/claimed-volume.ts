// The folders behind persistent volumes: those that were provisioned for a claim are made here and removed here, below the agent's own
// folder; those of administrators must be there.
import { mkdir, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import {
  localProvisioner,
  provisionedByAnnotation,
} from '../../controllers/volumes/claim-volume.ts'
import type { PersistentVolume } from '../../resources/storage/persistent-volume.ts'
import { isMissing } from '../runtime/process-identity.ts'
import { ConfigError } from './config-source.ts'

/** Of the agent that keeps its things in `dataDir`. */
export const volumesFolder = (dataDir: string): string => join(dataDir, 'volumes')

/** The path of the volume's folder, which is there then. */
export async function claimedFolder({ metadata, spec }: PersistentVolume): Promise<string> {
  const { local, hostPath } = spec
  const path = local?.path ?? hostPath?.path
  if (path === undefined)
    throw new ConfigError(
      `volume "${metadata.name ?? ''}" is of a type that this agent does not serve`,
    )
  const isOwn = metadata.annotations?.[provisionedByAnnotation] === localProvisioner
  if (isOwn || hostPath?.type === 'DirectoryOrCreate') await mkdir(path, { recursive: true })
  try {
    await stat(path)
  } catch (reason) {
    if (!isMissing(reason)) throw reason
    throw new ConfigError(`path "${path}" does not exist`, { cause: reason })
  }
  return path
}

/** Refuses what is not a folder of a volume that this agent made. */
export async function removeClaimedFolder(dataDir: string, path: string): Promise<void> {
  if (dirname(resolve(path)) !== resolve(volumesFolder(dataDir)))
    throw new Error(`${path} is not in the folder of the node's volumes`)
  await rm(path, { recursive: true, force: true })
}
