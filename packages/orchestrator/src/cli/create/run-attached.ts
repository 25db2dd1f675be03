// What `balsa run -i`, `--attach` and `--rm` do once the pod is made: its streams are ours until it ends, and then it may go.
import type { ResourceRef } from '../../client/api-client.ts'
import { objectPath } from '../../client/http-api-client.ts'
import { waitFor } from '../../client/wait-for.ts'
import type { KubeObject } from '../../resources/object.ts'
import type { ApiSession } from '../api-session.ts'
import { endWith, runInPod } from '../pod-command.ts'

export interface AttachOptions {
  readonly stdin?: boolean
  readonly tty?: boolean
  readonly rm?: boolean
  readonly restart: string
}
interface Pod extends KubeObject {
  readonly status?: {
    readonly phase?: string
    readonly containerStatuses?: readonly {
      readonly state?: { readonly terminated?: { readonly exitCode: number } }
    }[]
  }
}

const pods: ResourceRef = { group: '', version: 'v1', plural: 'pods' }
const startTimeoutMs = 60_000
const endTimeoutMs = 10_000

export const runAttached = async (
  session: ApiSession,
  name: string,
  options: AttachOptions,
): Promise<void> => {
  const { namespace } = session
  try {
    const place = { namespace, name }
    let phase = ''
    const isStarted = (pod: Pod | undefined): boolean => {
      phase = pod?.status?.phase ?? ''
      return phase !== 'Pending' && phase !== ''
    }
    await waitFor<Pod>(session.client, pods, place, isStarted, { timeoutMs: startTimeoutMs })
    if (phase === 'Running') {
      if (options.stdin === true)
        process.stderr.write("If you don't see a command prompt, try pressing enter.\n")
      await runInPod(
        session,
        {
          namespace,
          pod: name,
          container: undefined,
          command: undefined,
          isTerminal: options.tty === true,
        },
        {
          input: options.stdin === true ? process.stdin : undefined,
          output: process.stdout,
          errors: process.stderr,
        },
      )
    } else {
      const path = objectPath(pods, namespace, name, 'log')
      process.stdout.write(await session.transport.text({ method: 'GET', path, accept: '*/*' }))
    }
    if (options.restart === 'Never') endWith(await exitCode(session, name))
  } finally {
    if (options.rm === true) {
      await session.client.delete(pods, namespace, name)
      process.stdout.write(`pod ${JSON.stringify(name)} deleted\n`)
    }
  }
}

const exitCode = async (session: ApiSession, name: string): Promise<number> => {
  const place = { namespace: session.namespace, name }
  let code = 0
  const isOver = (pod: Pod | undefined): boolean => {
    const [container] = pod?.status?.containerStatuses ?? []
    code = container?.state?.terminated?.exitCode ?? 0
    return container?.state?.terminated !== undefined
  }
  await waitFor<Pod>(session.client, pods, place, isOver, { timeoutMs: endTimeoutMs })
  return code
}
