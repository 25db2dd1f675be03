// What a container runs: `command` and `args`, or the program that `image` names. With a command the image is only a label.
import { isAbsolute, join } from 'node:path'
import { stat } from 'node:fs/promises'
import type { Container } from '../../resources/pod-spec/pod-spec.ts'
import { expandVariables } from '../config/expand-variables.ts'
import { RunError } from '../runtime/runtime.ts'

/** An image that this agent cannot run. */
export class ImageError extends Error {
  override readonly name = 'ImageError'
  readonly code = 'IMAGE'
}

export function containerArgv(
  container: Container,
  env: Readonly<Record<string, string>>,
): string[] {
  const values = new Map(Object.entries(env))
  const args = (container.args ?? []).map((text) => expandVariables(text, values))
  const command = (container.command ?? []).map((text) => expandVariables(text, values))
  return command.length > 0 ? [...command, ...args] : [imageProgram(container.image ?? ''), ...args]
}

/** `node:20` and `docker.io/library/node` are `node`; an absolute path is itself. */
export function imageProgram(image: string): string {
  if (/^(?:npm|oci):/.test(image))
    throw new ImageError(
      `this agent runs programs of the host; give a command, or an image named after a program`,
    )
  if (isAbsolute(image)) return image
  const name = image.replace(/@.*$/, '').replace(/:[^/:]*$/, '')
  const program = name.slice(name.lastIndexOf('/') + 1)
  if (program === '')
    throw new ImageError(`couldn't parse image name "${image}": invalid reference format`)
  return program
}

/** The pod's root folder, a folder of a volume below it, or one of the host. */
export async function containerCwd(container: Container, rootDir: string): Promise<string> {
  const { workingDir } = container
  if (workingDir === undefined || workingDir === '' || workingDir === '/') return rootDir
  for (const path of [join(rootDir, workingDir), workingDir]) {
    if (isAbsolute(path) && (await isFolder(path))) return path
  }
  throw new RunError(`chdir to cwd ("${workingDir}") failed: no such file or directory`)
}

const isFolder = async (path: string): Promise<boolean> => {
  try {
    return (await stat(path)).isDirectory()
  } catch {
    return false
  }
}
