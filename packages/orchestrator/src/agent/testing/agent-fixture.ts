// An agent on an apiserver of the test's own memory, with a folder of its own, and what tests of pods ask of it.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { vi } from 'vitest'
import { FakeApiClient } from '../../client/testing/fake-api-client.ts'
import type { KubeObject, Stored } from '../../resources/object.ts'
import type { Container, PodSpec } from '../../resources/pod-spec/pod-spec.ts'
import { podType, type ContainerStatus, type Pod } from '../../resources/pod.ts'
import { startAgent, type Agent } from '../agent.ts'

const nodeName = 'n1'

export class AgentFixture {
  readonly client: FakeApiClient = new FakeApiClient()
  readonly errors: unknown[] = []
  #agent: Agent | undefined
  #dataDir = ''

  async start(): Promise<void> {
    this.#dataDir = await mkdtemp(join(tmpdir(), 'balsa-agent-'))
    this.#agent = await startAgent({
      client: this.client,
      nodeName,
      dataDir: this.#dataDir,
      stopPods: true,
      onError: (error) => this.errors.push(error),
    })
  }
  async close(): Promise<void> {
    await this.#agent?.close()
    await rm(this.#dataDir, { recursive: true, force: true })
  }

  create(
    name: string,
    containers: readonly Container[],
    spec: Partial<PodSpec> = {},
  ): Promise<Stored<Pod>> {
    return this.client.create<Pod>(podType, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default' },
      spec: { nodeName, terminationGracePeriodSeconds: 1, containers, ...spec },
      status: { phase: 'Pending' },
    })
  }
  pod(name: string): Stored<Pod> | undefined {
    return this.client.all<Pod>(podType).find(({ metadata }) => metadata.name === name)
  }
  status(pod: string): ContainerStatus | undefined {
    return this.pod(pod)?.status.containerStatuses?.[0]
  }
  /** Where the pod's program runs. */
  root(pod: string): string {
    return join(this.#dataDir, 'pods', this.pod(pod)?.metadata.uid ?? '', 'root')
  }
  /** `REASON: MESSAGE` of the pod's events, in the order they came. */
  events(pod: string): string[] {
    return this.client
      .all<KubeObject & { reason: string; message: string; involvedObject: { name: string } }>({
        group: '',
        version: 'v1',
        plural: 'events',
      })
      .filter(({ involvedObject }) => involvedObject.name === pod)
      .map(({ reason, message }) => `${reason}: ${message}`)
  }
}

export const sh = (script: string, more: Partial<Container> = {}): Container => ({
  name: 'c',
  image: 'label',
  command: ['sh', '-c', script],
  resources: {},
  ...more,
})

export const until = <T>(check: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(check, { timeout: 20_000, interval: 20 })
