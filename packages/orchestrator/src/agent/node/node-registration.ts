// Keeps the Node object of this agent: registers it, posts its status when it changes (and every 5 minutes), and renews the lease by which
// the node lifecycle controller sees that the agent lives.
import type { ApiClient } from '../../client/api-client.ts'
import { isApiError } from '../../client/is-api-error.ts'
import { jsonEqual } from '../../resources/json-equal.ts'
import { leaseType, type Lease } from '../../resources/lease.ts'
import {
  nodeType,
  volumesFolderAnnotation,
  type Node,
  type NodeStatus,
} from '../../resources/node.ts'
import type { Stored } from '../../resources/object.ts'
import { volumesFolder } from '../config/claimed-volume.ts'
import { nodeCapacity, nodeLabels, nodeStatus } from './node-facts.ts'

export interface NodeRegistrationOptions {
  readonly client: ApiClient
  readonly nodeName: string
  readonly dataDir: string
  readonly onError: (error: unknown) => void
}

const leaseNamespace = 'kube-node-lease'
const leaseDurationSeconds = 40
const renewMs = 10_000
const statusPostMs = 300_000

export class NodeRegistration {
  readonly #options: NodeRegistrationOptions
  readonly capacity: Readonly<Record<string, string>>
  #timer: NodeJS.Timeout | undefined
  #beating: Promise<void> | undefined
  #node: Stored<Node>
  #postedAtMs = 0

  private constructor(
    options: NodeRegistrationOptions,
    node: Stored<Node>,
    capacity: Readonly<Record<string, string>>,
  ) {
    this.#options = options
    this.#node = node
    this.capacity = capacity
  }

  /** Resolves when the node is registered and Ready. */
  static async start(options: NodeRegistrationOptions): Promise<NodeRegistration> {
    const capacity = await nodeCapacity(options.dataDir)
    const node = await register(options, capacity)
    const registration = new NodeRegistration(options, node, capacity)
    await registration.#beat()
    registration.#timer = setInterval(() => {
      registration.#beating ??= registration.#beat()
        .catch(options.onError)
        .finally(() => {
          registration.#beating = undefined
        })
    }, renewMs)
    return registration
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#beating
  }

  async #beat(): Promise<void> {
    await this.#renewLease()
    await this.#postStatus()
  }

  async #renewLease(): Promise<void> {
    const { client, nodeName } = this.#options
    const spec = {
      holderIdentity: nodeName,
      leaseDurationSeconds,
      renewTime: microTime(Date.now()),
    }
    try {
      await client.patch<Lease>(leaseType, leaseNamespace, nodeName, 'merge', { spec })
    } catch (reason) {
      if (!isApiError(reason, 404)) throw reason
      await this.#createLease(spec)
    }
  }

  async #createLease(spec: Lease['spec']): Promise<void> {
    const { client, nodeName } = this.#options
    await ifAbsent(
      client.create<Lease>(leaseType, {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: {
          name: nodeName,
          namespace: leaseNamespace,
          ownerReferences: [
            { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: this.#node.metadata.uid },
          ],
        },
        spec,
      }),
    )
  }

  async #postStatus(): Promise<void> {
    const { client, nodeName, dataDir } = this.#options
    const nowMs = Date.now()
    this.#node = await client.get<Node>(nodeType, undefined, nodeName)
    const status = await nodeStatus(nodeName, this.capacity, dataDir, this.#node, nowMs)
    const isSame = jsonEqual(withoutHeartbeats(status), withoutHeartbeats(this.#node.status))
    if (isSame && nowMs - this.#postedAtMs < statusPostMs) return
    this.#node = await client.update<Node>(nodeType, { ...this.#node, status }, 'status')
    this.#postedAtMs = nowMs
  }
}

/** Creates the Node, or takes over the one that is there and refreshes its labels. */
async function register(
  { client, nodeName, dataDir }: NodeRegistrationOptions,
  capacity: Readonly<Record<string, string>>,
): Promise<Stored<Node>> {
  const labels = nodeLabels(nodeName)
  const annotations = { [volumesFolderAnnotation]: volumesFolder(dataDir) }
  try {
    return await client.patch<Node>(nodeType, undefined, nodeName, 'merge', {
      metadata: { labels, annotations },
    })
  } catch (reason) {
    if (!isApiError(reason, 404)) throw reason
  }
  return client.create<Node>(nodeType, {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: nodeName, labels, annotations },
    spec: {},
    status: await nodeStatus(nodeName, capacity, dataDir, undefined, Date.now()),
  })
}

const withoutHeartbeats = (status: NodeStatus): unknown => ({
  ...status,
  conditions: status.conditions?.map((condition) => ({
    ...condition,
    lastHeartbeatTime: undefined,
  })),
})

const microTime = (ms: number): string => new Date(ms).toISOString().replace('Z', '000Z')

async function ifAbsent(creation: Promise<unknown>): Promise<void> {
  try {
    await creation
  } catch (reason) {
    if (!isApiError(reason, 409)) throw reason
  }
}
