import { expect, test } from 'vitest'
import type { Namespace } from '../resources/namespace.ts'
import type { Stored } from '../resources/object.ts'
import { reconcileRootCertificate, reconcileServiceAccounts } from './service-account.ts'

const namespace = (more: object = {}): Stored<Namespace> =>
  ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'n', uid: 'u', resourceVersion: '1', creationTimestamp: '', ...more },
    spec: {},
    status: {},
  }) as Stored<Namespace>
const ending = namespace({ deletionTimestamp: '2020-01-01T00:00:00Z' })

test('a namespace that stays gets the account that it lacks', () => {
  const actionsOf = (of: Stored<Namespace> | undefined, hasDefault: boolean): number =>
    reconcileServiceAccounts({ namespace: of, hasDefault }).actions.length
  expect([
    actionsOf(namespace(), false),
    actionsOf(namespace(), true),
    actionsOf(ending, false),
    actionsOf(undefined, false),
  ]).toEqual([1, 0, 0, 0])
})

test('the certificate is published, mended, and left alone when it is right', () => {
  const view = { namespace: namespace(), certificate: 'PEM' }
  const [made] = reconcileRootCertificate({ ...view, configMap: undefined }).actions
  expect(made).toMatchObject({
    type: 'create',
    object: { metadata: { name: 'kube-root-ca.crt', namespace: 'n' }, data: { 'ca.crt': 'PEM' } },
  })
  const stored = (data: object): never => ({ ...namespace(), data }) as never
  expect(
    reconcileRootCertificate({ ...view, configMap: stored({ 'ca.crt': 'PEM' }) }).actions,
  ).toEqual([])
  expect(
    reconcileRootCertificate({ ...view, configMap: stored({ 'ca.crt': 'old', x: '' }) }).actions[0],
  ).toMatchObject({
    type: 'update',
    object: { data: { 'ca.crt': 'PEM' } },
  })
  expect(
    reconcileRootCertificate({ ...view, namespace: ending, configMap: undefined }).actions,
  ).toEqual([])
})
