// What does not check out is kept aside under names that end in .broken, for whoever wants to look at it; nothing reads it again.
import type { File, FileSystem } from '../node/ports.ts'
import { writeZeros } from './segment.ts'

/** Older ones are removed. */
export const brokenFilesMax = 4

const copyStepBytes = 1024 * 1024

interface Tail {
  readonly file: File
  readonly path: string
  readonly from: number
  readonly to: number
}

/** Copies the tail aside and zeroes it, so that it can never come back. Durable when it resolves. */
export async function cutTail(
  fileSystem: FileSystem,
  directory: string,
  { file, path, from, to }: Tail,
): Promise<void> {
  const copyPath = `${path}.${from.toString(16)}.broken`
  const copy = await openEmpty(fileSystem, copyPath)
  for (let at = from; at < to; at += copyStepBytes) {
    const bytes = await file.read(at, Math.min(copyStepBytes, to - at))
    await copy.write([bytes], at - from)
  }
  await copy.sync()
  await copy.close()
  await fileSystem.syncDirectory(directory)
  await writeZeros(file, from, to - from)
  await file.sync()
}

/** An earlier repair may have been interrupted by the next crash. */
async function openEmpty(fileSystem: FileSystem, path: string): Promise<File> {
  try {
    return await fileSystem.open(path, 'create')
  } catch (reason) {
    if (!(reason instanceof Error && 'code' in reason && reason.code === 'EEXIST')) throw reason
    const file = await fileSystem.open(path, 'write')
    await file.truncate(0)
    return file
  }
}

/** In the order given. Durable when it resolves. */
export async function setAside(
  fileSystem: FileSystem,
  directory: string,
  names: readonly string[],
): Promise<void> {
  for (const name of names) {
    await fileSystem.rename(`${directory}/${name}`, `${directory}/${name}.broken`)
  }
  const broken = (await fileSystem.list(directory)).filter((name) => name.endsWith('.broken'))
  for (const name of broken.slice(0, Math.max(0, broken.length - brokenFilesMax))) {
    await fileSystem.remove(`${directory}/${name}`)
  }
  await fileSystem.syncDirectory(directory)
}
