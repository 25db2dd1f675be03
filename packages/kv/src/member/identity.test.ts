import { expect, test } from 'vitest'
import { clusterIdOf, idText, memberIdOf, parseIdText } from './identity.ts'

test('member and cluster ids are those of real etcd with the same flags', () => {
  const member = memberIdOf(['http://127.0.0.1:35380'], 'etcd-cluster')
  expect(member).toBe(3982666145420501407n)
  expect(clusterIdOf([member])).toBe(14565263882120753975n)
  expect(parseIdText(idText(5n))).toBe(5n)
})
