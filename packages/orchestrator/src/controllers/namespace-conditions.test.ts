import { expect, test } from 'vitest'
import { namespaceConditions } from './namespace-conditions.ts'

const leftover = {
  contents: new Map([
    ['pods.', 2],
    ['jobs.batch', 1],
  ]),
  finalizers: new Map([['example.com/hold', 3]]),
  errors: ['no', 'not now'],
}
const nothingLeft = { contents: new Map(), finalizers: new Map(), errors: [] }

test("the conditions of a namespace that ends tell what is left, with upstream's reasons", () => {
  const told = namespaceConditions([], leftover, 'then')
  expect(told.map(({ type, status, reason, message }) => [type, status, reason, message])).toEqual([
    [
      'NamespaceDeletionDiscoveryFailure',
      'False',
      'ResourcesDiscovered',
      'All resources successfully discovered',
    ],
    [
      'NamespaceDeletionGroupVersionParsingFailure',
      'False',
      'ParsedGroupVersions',
      'All legacy kube types successfully parsed',
    ],
    [
      'NamespaceDeletionContentFailure',
      'True',
      'ContentDeletionFailed',
      'Failed to delete all resource types, 2 remaining: no, not now',
    ],
    [
      'NamespaceContentRemaining',
      'True',
      'SomeResourcesRemain',
      'Some resources are remaining: jobs.batch has 1 resource instances, pods. has 2 resource instances',
    ],
    [
      'NamespaceFinalizersRemaining',
      'True',
      'SomeFinalizersRemain',
      'Some content in the namespace has finalizers remaining: example.com/hold in 3 resource instances',
    ],
  ])
  expect(namespaceConditions(told, leftover, 'later')).toBe(told)
})

test('a condition keeps its time until it turns, and those of others stay', () => {
  const other = { type: 'Other', status: 'True' } as const
  const told = namespaceConditions(
    [other, ...namespaceConditions([], leftover, 'a')],
    nothingLeft,
    'b',
  )
  expect(told[0]).toBe(other)
  expect(told.map(({ status, lastTransitionTime }) => [status, lastTransitionTime])).toEqual([
    ['True', undefined],
    ['False', 'a'],
    ['False', 'a'],
    ['False', 'b'],
    ['False', 'b'],
    ['False', 'b'],
  ])
})
