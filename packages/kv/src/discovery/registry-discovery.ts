// Members find each other through a running cluster, as etcd's v3 discovery does: each writes itself below a token that they share, the
// first so many are the cluster. The keys are etcd's, so members of both kinds could meet there.
import { connect, type ConnectOptions } from '../client/connect.ts'
import { KvError } from '../errors.ts'
import type { Kv } from '../kv.ts'
import { idText, memberIdOf } from '../member/identity.ts'

export interface RegistryDiscoveryOptions {
  readonly token: string
  readonly name: string
  readonly peerUrls: readonly string[]
  readonly registry: ConnectOptions
  readonly onWaiting?: (found: number, size: number) => void
}

/** How often the others are looked for. */
const pollMs = 500
/** More members than anyone has. */
const sizeMax = 99

/** The --initial-cluster of all members. Resolves when all are there; rejects with etcd's texts. */
export async function discoverByRegistry(options: RegistryDiscoveryOptions): Promise<string> {
  const kv = await connect(options.registry)
  try {
    return await new Registry(kv, options).join()
  } finally {
    await kv.close()
  }
}

class Registry {
  readonly #kv: Kv
  readonly #options: RegistryDiscoveryOptions
  readonly #prefix: string
  readonly #ownKey: string

  constructor(kv: Kv, options: RegistryDiscoveryOptions) {
    const { token, peerUrls } = options
    this.#kv = kv
    this.#options = options
    this.#prefix = `/_etcd/registry/${token}`
    this.#ownKey = `${this.#prefix}/members/${idText(memberIdOf(peerUrls, token)).replace(/^0+/, '')}`
  }

  async join(): Promise<string> {
    const { name, peerUrls, onWaiting } = this.#options
    const size = await this.#size()
    await this.#members(size)
    const self = peerUrls.map((url) => `${name}=${url}`).join(',')
    await this.#kv.put(this.#ownKey, self)
    for (let told = -1; ;) {
      const members = await this.#members(size)
      if (members.length >= size) return members.map(({ text }) => text).join(',')
      if (members.length !== told) onWaiting?.(members.length, size)
      told = members.length
      await new Promise((resolve) => setTimeout(resolve, pollMs))
    }
  }

  async #size(): Promise<number> {
    const found = await this.#kv.get(`${this.#prefix}/_config/size`)
    if (found === undefined) throw failure('discovery: size key not found')
    const size = Number(Buffer.from(found.value).toString())
    if (!Number.isInteger(size) || size <= 0 || size > sizeMax) {
      throw failure('discovery: size key is bad')
    }
    return size
  }

  /** The first so many, in the order they came. Throws if they are others. */
  async #members(size: number): Promise<{ key: string; text: string }[]> {
    const { pairs } = await this.#kv.range({ prefix: `${this.#prefix}/members/` })
    const members = [...pairs]
      .sort((a, b) => a.createRevision - b.createRevision)
      .slice(0, size)
      .map(({ key, value }) => ({
        key: Buffer.from(key).toString(),
        text: Buffer.from(value).toString(),
      }))
    const isOwn = members.some(({ key }) => key === this.#ownKey)
    if (members.length === size && !isOwn) throw failure('discovery: cluster is full')
    return members
  }
}

function failure(message: string): KvError {
  return new KvError('INTERNAL', { message })
}
