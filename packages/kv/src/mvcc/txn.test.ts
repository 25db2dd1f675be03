// What a txn refuses before anything of it is applied. That its answers are etcd's is shown against real etcd (member/etcd-differential).
import { expect, test } from 'vitest'
import { openStore, put, putRequest, rangeRequest } from './testing/fixtures.ts'
import { applyTxn } from './txn.ts'

test('a range of a negative revision inside a txn is compacted once something was, and nothing of the txn is applied', () => {
  const { store, leases } = openStore()
  put(store, 'a', '1')
  const txn = (revision: number): void => {
    store.beginWrite()
    try {
      applyTxn(store, leases, {
        compare: [],
        success: [
          { type: 'put', request: putRequest('b', '2') },
          { type: 'range', request: rangeRequest('a', '', { revision }) },
        ],
        failure: [],
      })
    } finally {
      store.endWrite()
    }
  }
  // etcd's compact revision is -1 until something was compacted.
  txn(-1)
  expect(store.revision).toBe(3)
  store.compact(2)
  expect(() => txn(-1)).toThrow('etcdserver: mvcc: required revision has been compacted')
  expect(store.revision).toBe(3)
  txn(0)
  expect(store.revision).toBe(4)
})
