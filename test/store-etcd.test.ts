// The apiserver's Store over real etcd: the suite that every store passes.
import { connect } from '@balsa/kv/client'
import { describe } from 'vitest'
import { KvStore } from '../packages/orchestrator/src/apiserver/kv-store.ts'
import { describeStore } from '../packages/orchestrator/src/apiserver/testing/store-suite.ts'
import { startEtcd } from './etcd-process.ts'
import { missing } from './tools.ts'

describe.skipIf(missing('etcd'))('etcd', () => {
  describeStore('real etcd', async () => {
    const etcd = await startEtcd()
    const kv = await connect({ endpoints: etcd.url, protocol: 'grpc' })
    return {
      store: new KvStore(kv),
      close: async () => {
        await kv.close()
        await etcd[Symbol.asyncDispose]()
      },
    }
  })
})
