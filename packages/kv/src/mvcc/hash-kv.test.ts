// The expected hashes were read from real etcd 3.4.23.
import { expect, test } from 'vitest'
import { Compaction } from './compaction.ts'
import { crc32c } from './crc32c.ts'
import { rowKey } from './revision.ts'
import { bytes, hashOf, openStore, put, remove } from './testing/fixtures.ts'

test('crc32c gives the check value of its definition', () => {
  expect(crc32c(0, bytes('123456789'))).toBe(0xe3069283)
})

test('HashKV equals that of real etcd before and after a compaction, whether or not its rows are gone', () => {
  const fixture = openStore()
  const { store, tables } = fixture
  put(store, 'foo', 'bar')
  put(store, 'foo', 'baz')
  remove(store, 'foo')
  put(store, 'a', '1')
  expect(hashOf(fixture)).toBe(1967179850)

  store.compact(5)
  expect(hashOf(fixture)).toBe(2007788419)
  const compaction = new Compaction(store.index, 5, (...row) => tables.delete(rowKey(...row)))
  expect(compaction.step()).toEqual({ rows: 3, done: true })
  expect(hashOf(fixture)).toBe(2007788419)
  store.index.verify()
})
