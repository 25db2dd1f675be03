import { describe } from 'vitest'
import { startEtcd } from '../../../../test/etcd-process.ts'
import { missing } from '../../../../test/tools.ts'
import { connect } from '../client/connect.ts'
import { listenNative } from '../client/testing/native-listener.ts'
import { EmbeddedKv } from '../member/embedded-kv.ts'
import { openTestMember } from '../member/testing/test-member.ts'
import { recipesSuite } from './testing/recipes-suite.ts'

describe('in the member itself', () => {
  recipesSuite(async () => {
    const { core } = await openTestMember()
    return { kv: new EmbeddedKv(core), close: () => core.close() }
  })
})

describe('over the native wire', () => {
  recipesSuite(async () => {
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

describe.skipIf(missing('etcd'))('over gRPC to a real etcd', () => {
  recipesSuite(async () => {
    const etcd = await startEtcd()
    const kv = await connect({ endpoints: etcd.url, protocol: 'grpc' })
    return {
      kv,
      close: async () => {
        await kv.close()
        await etcd[Symbol.asyncDispose]()
      },
    }
  })
})
