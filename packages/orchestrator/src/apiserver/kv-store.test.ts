import { openMember, type Kv } from '@balsa/kv'
import { connect } from '@balsa/kv/client'
import { KvStore } from './kv-store.ts'
import { describeStore } from './testing/store-suite.ts'

/** A member in memory and, with a protocol, a client of it. */
const open = async (
  protocol?: 'native' | 'grpc',
): Promise<{ store: KvStore; close(): Promise<void> }> => {
  const member = await openMember({
    memory: true,
    ...(protocol === undefined ? {} : { listenClientUrls: ['http://127.0.0.1:0'] }),
  })
  const kv: Kv =
    protocol === undefined ? member.kv : await connect({ endpoints: member.clientUrls, protocol })
  return {
    store: new KvStore(kv),
    close: async () => {
      if (protocol !== undefined) await kv.close()
      await member.close()
    },
  }
}

describeStore('an embedded member', () => open())
describeStore('a member over the native wire', () => open('native'))
describeStore('a member over etcd gRPC', () => open('grpc'))
