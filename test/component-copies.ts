// Copies of apiserver, controller manager and scheduler that are killed and started one by one, as on three machines: each controller
// manager and scheduler talks to the apiserver of its own machine over TLS, each apiserver to the store.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { connect } from '@balsa/kv/client'
import {
  startApiServer,
  type ApiServer,
} from '../packages/orchestrator/src/apiserver/api-server.ts'
import { KvStore } from '../packages/orchestrator/src/apiserver/kv-store.ts'
import { severable } from '../packages/orchestrator/src/apiserver/testing/severable-store.ts'
import { fencedClient } from '../packages/orchestrator/src/client/fenced-client.ts'
import { HttpApiClient } from '../packages/orchestrator/src/client/http-api-client.ts'
import { HttpTransport } from '../packages/orchestrator/src/client/http-transport.ts'
import { severableClient } from '../packages/orchestrator/src/client/testing/severable-client.ts'
import { Leading, type ElectionTimes } from '../packages/orchestrator/src/loop/leading.ts'
import { startControllers } from '../packages/orchestrator/src/loop/start-controllers.ts'
import { startScheduler } from '../packages/orchestrator/src/loop/start-scheduler.ts'
import type { Json } from '../packages/orchestrator/src/resources/object.ts'
import { TcpDoor } from './tcp-door.ts'

export type Role = 'apiserver' | 'manager' | 'scheduler'

/** A component that runs; `kill` gives it no chance to say or write anything more. */
export interface Component {
  kill(): Promise<void>
}

export interface CopiesOptions {
  /** Of the store. */
  readonly endpoints: readonly string[]
  readonly dataDir: string
  readonly election: ElectionTimes
  /** Told of what components that live say went wrong. */
  readonly onError: (role: Role, error: unknown) => void
}

/** Starts an apiserver over its own connection to the store. */
export async function openApiServer(
  endpoints: readonly string[],
  dataDir: string,
  onError: (error: unknown) => void,
): Promise<ApiServer & Component> {
  await mkdir(dataDir, { recursive: true })
  const kv = await connect({ endpoints: [...endpoints], protocol: 'native' })
  const store = severable(new KvStore(kv))
  let isKilled = false
  const tell = (error: unknown): void => void (isKilled || onError(error))
  const server = await startApiServer({ store, dataDir, url: 'https://127.0.0.1:0', onError: tell })
  const end = async (): Promise<void> => {
    await server.close()
    await store.close()
    await kv.close()
  }
  const kill = async (): Promise<void> => {
    isKilled = true
    store.sever()
    await end()
  }
  return { ...server, close: end, kill }
}

/** One of the machines: one copy of each component, all of which may be away. */
export class Machine {
  readonly #options: CopiesOptions
  readonly #name: string
  readonly #door: TcpDoor
  readonly #running = new Map<Role, Component>()
  #user: HttpTransport | undefined
  #certificates: ApiServer['certificates'] | undefined

  private constructor(options: CopiesOptions, name: string, door: TcpDoor) {
    this.#options = options
    this.#name = name
    this.#door = door
  }

  static async start(options: CopiesOptions, name: string): Promise<Machine> {
    const machine = new Machine(options, name, await TcpDoor.open())
    for (const role of ['apiserver', 'manager', 'scheduler'] as const) await machine.start(role)
    return machine
  }

  async start(role: Role): Promise<void> {
    this.#running.set(role, role === 'apiserver' ? await this.#apiserver() : this.#leading(role))
  }

  async kill(role: Role): Promise<void> {
    const component = this.#running.get(role)
    this.#running.delete(role)
    await component?.kill()
  }

  /** A request of a user. */
  async post(path: string, body: Json): Promise<void> {
    this.#user ??= this.#transport()
    await this.#user.json({ method: 'POST', path, body })
  }

  async close(): Promise<void> {
    for (const role of ['scheduler', 'manager', 'apiserver'] as const) await this.kill(role)
    this.#user?.close()
    await this.#door.close()
  }

  async #apiserver(): Promise<Component> {
    const { endpoints, dataDir, onError } = this.#options
    const folder = join(dataDir, this.#name)
    const server = await openApiServer(endpoints, folder, (error) => onError('apiserver', error))
    this.#certificates = server.certificates
    this.#door.lead(Number(new URL(server.url).port))
    return {
      kill: () => {
        this.#door.cut()
        return server.kill()
      },
    }
  }

  #transport(): HttpTransport {
    const { ca, admin } = this.#certificates ?? {}
    if (ca === undefined || admin === undefined) throw new Error('the apiserver starts first')
    return new HttpTransport({
      url: `https://127.0.0.1:${this.#door.port}`,
      ca: ca.certificate,
      cert: admin.certificate,
      key: admin.key,
    })
  }

  #leading(role: 'manager' | 'scheduler'): Component {
    const { election } = this.#options
    let isKilled = false
    const onError = (error: unknown): void => void (isKilled || this.#options.onError(role, error))
    const transport = this.#transport()
    const { client, sever } = severableClient(new HttpApiClient(transport))
    const start = role === 'manager' ? startControllers : startScheduler
    const leading = new Leading({
      ...election,
      client,
      name: role === 'manager' ? 'kube-controller-manager' : 'kube-scheduler',
      identity: `${this.#name}-${performance.now()}`,
      start: ({ leading: term, wanted: signal }) =>
        start({
          client: fencedClient(client, term),
          signal,
          onError: (error) => void (term.aborted || onError(error)),
        }),
      onError,
    })
    leading.start()
    return {
      kill: async () => {
        isKilled = true
        sever()
        transport.close()
        await leading.close()
      },
    }
  }
}
