// The apiserver's Store over a Balsa cluster of three members: the suite that every store passes, by the native client.
import { connect } from '@balsa/kv/client'
import { openMember, type Kv, type Member } from '@balsa/kv'
import { afterAll, beforeAll } from 'vitest'
import { KvStore } from '../packages/orchestrator/src/apiserver/kv-store.ts'
import { describeStore } from '../packages/orchestrator/src/apiserver/testing/store-suite.ts'
import { freePorts } from './free-ports.ts'

const names = ['a', 'b', 'c']
let members: Member[] = []
let kv: Kv

beforeAll(async () => {
  const peers = (await freePorts(names.length)).map((port) => `http://127.0.0.1:${port}`)
  const initialCluster = names.map((name, index) => `${name}=${peers[index]}`).join(',')
  members = await Promise.all(
    names.map((name, index) =>
      openMember({
        name,
        memory: true,
        initialCluster,
        listenPeerUrls: [peers[index] ?? ''],
        listenClientUrls: ['http://127.0.0.1:0'],
      }),
    ),
  )
  await Promise.all(members.map((member) => member.ready()))
  const endpoints = members.flatMap(({ clientUrls }) => clientUrls)
  kv = await connect({ endpoints, protocol: 'native' })
})
afterAll(async () => {
  await kv.close()
  await Promise.all(members.map((member) => member.close()))
})

describeStore('three members', async () => {
  // Each test begins with nothing; the cluster stays.
  await kv.delete('/registry/', { rangeEnd: '/registry0' })
  return { store: new KvStore(kv), close: async () => Promise.resolve() }
})
