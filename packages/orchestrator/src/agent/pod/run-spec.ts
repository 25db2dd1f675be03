// What a container's run needs: program, environment, folder, input.
import { containerEnvironment } from '../config/environment.ts'
import type { ConfigSource } from '../config/config-source.ts'
import type { PodPlace } from '../config/pod-field.ts'
import type { RunSpec } from '../runtime/runtime.ts'
import type { Container } from '../../resources/pod-spec/pod-spec.ts'
import { containerArgv, containerCwd } from './container-command.ts'
import type { PodFiles } from './pod-files.ts'
import { messagePath, messageVariable } from './termination-message.ts'

export interface RunPlace {
  readonly files: PodFiles
  readonly source: ConfigSource
  /** The pod as it is now. */
  readonly place: () => PodPlace
}

/** Rejects with ConfigError, ImageError or RunError. */
export async function runSpecOf(
  container: Container,
  env: Readonly<Record<string, string>>,
  { restartCount }: { readonly restartCount: number },
  { files }: RunPlace,
): Promise<RunSpec> {
  return {
    runDir: files.runDir(container.name, restartCount),
    argv: containerArgv(container, env),
    env,
    cwd: await containerCwd(container, files.rootDir),
    ...(container.stdin === true ? { input: container.stdinOnce === true ? 'once' : 'open' } : {}),
    ...(container.tty === true ? { terminal: true } : {}),
  }
}

/** Of a run; rejects with ConfigError. */
export const runEnvironment = async (
  container: Container,
  { files, source, place }: RunPlace,
): Promise<Record<string, string>> => ({
  [messageVariable]: messagePath(container, files),
  ...(await containerEnvironment(container, place(), source, files.rootDir)),
})

/** Of a run that goes on already; its environment matters to probes alone, so what is missing by now must not stop it. */
export async function adoptedSpec(
  container: Container,
  record: { readonly restartCount: number },
  place: RunPlace,
  onError: (error: unknown) => void,
): Promise<RunSpec> {
  try {
    return await runSpecOf(container, await runEnvironment(container, place), record, place)
  } catch (reason) {
    onError(reason)
    const { files } = place
    const env = { PATH: process.env['PATH'] ?? '' }
    const runDir = files.runDir(container.name, record.restartCount)
    return { runDir, argv: [], env, cwd: files.rootDir }
  }
}
