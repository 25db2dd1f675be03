import { expect, test } from 'vitest'
import { validateQuotaScopes } from './quota-scopes.ts'

const told = (
  keys: readonly string[],
  scopes: readonly string[],
  selected: readonly string[] = [],
): string[] =>
  validateQuotaScopes({
    hard: Object.fromEntries(keys.map((key) => [key, '1'])),
    scopes,
    ...(selected.length === 0
      ? {}
      : {
          scopeSelector: {
            matchExpressions: selected.map((scopeName) => ({ scopeName, operator: 'Exists' })),
          },
        }),
  }).map(({ field, message }) => `${field}: ${message}`)

test.each([
  ['pods', 'BestEffort', 0],
  ['cpu', 'BestEffort', 1],
  ['requests.memory', 'NotBestEffort', 0],
  ['services', 'NotBestEffort', 1],
  ['requests.storage', 'PriorityClass', 1],
  ['limits.cpu', 'CrossNamespacePodAffinity', 0],
  ['count/deployments.apps', 'Terminating', 0],
  ['example.com/gpu', 'BestEffort', 0],
])('a quota of %s has problems with the scope %s: %i', (key, scope, count) => {
  const text = 'unsupported scope applied to resource'
  expect(told([key], [scope])).toEqual(
    Array.from({ length: count }, () => `spec.scopes: Invalid value: ["${scope}"]: ${text}`),
  )
  expect(told([key], [], [scope])).toEqual(
    Array.from(
      { length: count },
      () =>
        `spec.scopeSelector.matchExpressions: Invalid value: {"matchExpressions":[{"scopeName":"${scope}","operator":"Exists"}]}: ${text}`,
    ),
  )
})

test('scopes that are unknown or exclude each other are refused', () => {
  expect(told(['pods'], ['Sometimes'])).toEqual([
    'spec.scopes: Invalid value: ["Sometimes"]: unsupported scope',
  ])
  expect(told(['pods'], ['BestEffort', 'NotBestEffort'])).toEqual([
    'spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes',
  ])
})
