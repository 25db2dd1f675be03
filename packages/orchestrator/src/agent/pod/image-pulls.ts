// Images of containers that cannot run here: tried again after 10 s, doubling to 300 s, and told of in a kubelet's words.
import type { Container } from '../../resources/pod-spec/pod-spec.ts'
import { findExecutable } from '../runtime/find-executable.ts'
import { RunError, type RunSpec } from '../runtime/runtime.ts'
import { ImageError } from './container-command.ts'

export interface PullProblem {
  readonly reason: string
  readonly message: string
  readonly events: readonly {
    readonly type: 'Normal' | 'Warning'
    readonly reason: string
    readonly message: string
  }[]
}

const firstDelayMs = 10_000
const delayMsMax = 300_000

/** Without a command the image is what runs. Rejects with ImageError when there is no such program. */
export async function checkImage(container: Container, spec: RunSpec): Promise<void> {
  if ((container.command ?? []).length > 0) return
  const [program = ''] = spec.argv
  try {
    await findExecutable(program, spec.env['PATH'] ?? '', spec.cwd)
  } catch (reason) {
    if (!(reason instanceof RunError)) throw reason
    throw new ImageError(
      `failed to resolve image "${container.image ?? ''}": no program ${program} on this machine; give a command, or an image named after a program: not found`,
      { cause: reason },
    )
  }
}

export class ImagePulls {
  readonly #backOffs = new Map<string, { delayMs: number; untilMs: number; isTold: boolean }>()

  /** Undefined: it is time to try. */
  waiting({ name, image = '' }: Container, nowMs: number): PullProblem | undefined {
    const backOff = this.#backOffs.get(name)
    if (backOff === undefined || backOff.untilMs <= nowMs) return undefined
    const message = `Back-off pulling image "${image}"`
    const events: PullProblem['events'] = backOff.isTold
      ? []
      : [
          { type: 'Normal', reason: 'BackOff', message },
          { type: 'Warning', reason: 'Failed', message: 'Error: ImagePullBackOff' },
        ]
    backOff.isTold = true
    return { reason: 'ImagePullBackOff', message, events }
  }

  failed(container: Container, { message: why }: ImageError, nowMs: number): PullProblem {
    const { name, image = '', imagePullPolicy } = container
    if (imagePullPolicy === 'Never') {
      const message = `Container image "${image}" is not present with pull policy of Never`
      const reason = 'ErrImageNeverPull'
      const events: PullProblem['events'] = [
        { type: 'Warning', reason, message },
        { type: 'Warning', reason: 'Failed', message: `Error: ${reason}` },
      ]
      return { reason, message, events }
    }
    const before = this.#backOffs.get(name)?.delayMs
    const delayMs = before === undefined ? firstDelayMs : Math.min(before * 2, delayMsMax)
    this.#backOffs.set(name, { delayMs, untilMs: nowMs + delayMs, isTold: false })
    return {
      reason: 'ErrImagePull',
      message: why,
      events: [
        { type: 'Normal', reason: 'Pulling', message: `Pulling image "${image}"` },
        { type: 'Warning', reason: 'Failed', message: `Failed to pull image "${image}": ${why}` },
        { type: 'Warning', reason: 'Failed', message: 'Error: ErrImagePull' },
      ],
    }
  }

  succeeded({ name }: Container): void {
    this.#backOffs.delete(name)
  }
}
