import { describe, expect, test } from 'vitest'
import { freePorts } from '../../../../test/free-ports.ts'
import { startEtcd } from '../../../../test/etcd-process.ts'
import { missing } from '../../../../test/tools.ts'
import { listenClients } from '../api/client-listener.ts'
import { EmbeddedKv } from '../member/embedded-kv.ts'
import { openTestMember } from '../member/testing/test-member.ts'
import { connect } from './connect.ts'
import { namespaced } from './namespace.ts'
import { kvSuite } from './testing/kv-suite.ts'
import { listenNative } from './testing/native-listener.ts'

describe('a Kv in the member itself', () => {
  kvSuite(async () => {
    const { core } = await openTestMember()
    return { kv: new EmbeddedKv(core), close: () => core.close() }
  })
})

describe('a namespace of a Kv, in a namespace', () => {
  kvSuite(async () => {
    const { core } = await openTestMember()
    const whole = new EmbeddedKv(core)
    await whole.put('outside', 'x')
    await whole.put('ns/', 'x')
    await whole.put('ns/inner0', 'x')
    const kv = namespaced(namespaced(whole, 'ns/'), 'inner/')
    return {
      kv,
      close: async () => {
        const { pairs } = await whole.range({ prefix: '' })
        const keys = pairs.map(({ key }) => Buffer.from(key).toString('latin1'))
        const outside = keys.filter((key) => !key.startsWith('ns/inner/'))
        await core.close()
        expect(outside).toEqual(['ns/', 'ns/inner0', 'outside'])
      },
    }
  })
})

describe('a Kv over the native wire', () => {
  kvSuite(async () => {
    const { core } = await openTestMember()
    const listener = await listenNative(core)
    const kv = await connect({ endpoints: listener.endpoint })
    return {
      kv,
      close: async () => {
        await kv.close()
        await listener.close()
        await core.close()
      },
    }
  })
})

describe('a Kv over gRPC to a Balsa member', () => {
  kvSuite(async () => {
    const { core } = await openTestMember()
    const listener = await listenClients({ member: core, urls: ['http://127.0.0.1:0'] })
    const kv = await connect({ endpoints: listener.urls, protocol: 'grpc' })
    return {
      kv,
      close: async () => {
        await kv.close()
        await listener.close()
        await core.close()
      },
    }
  })
})

describe.skipIf(missing('etcd'))('a Kv over gRPC to a real etcd, found out by itself', () => {
  kvSuite(async () => {
    const etcd = await startEtcd()
    const kv = await connect({ endpoints: [etcd.url] })
    return {
      kv,
      close: async () => {
        await kv.close()
        await etcd[Symbol.asyncDispose]()
      },
    }
  })
})

describe('what connect() says when it cannot', () => {
  test.each(['auto', 'native', 'grpc'] as const)('no server, protocol %s', async (protocol) => {
    const [port] = await freePorts(1)
    const endpoint = `http://127.0.0.1:${port}`
    const opening = connect({ endpoints: endpoint, protocol, connectTimeoutMs: 200 })
    await expect(opening).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: `no server answered at ${endpoint}`,
    })
  })

  test('an endpoint that is none', async () => {
    await expect(connect({ endpoints: 'ftp://x' })).rejects.toThrow(
      "endpoint 'ftp://x' is not host:port, http://host:port or https://host:port",
    )
  })
})
