import { expect, test } from 'vitest'
import { fromOldWatchPath } from './old-watch-path.ts'

test('the paths by which older clients watch are watches of today', () => {
  expect(fromOldWatchPath('/api/v1/watch/namespaces/a/pods', 'resourceVersion=5')).toEqual({
    path: '/api/v1/namespaces/a/pods',
    rawQuery: 'watch=true&resourceVersion=5',
  })
  expect(fromOldWatchPath('/apis/apps/v1/watch/deployments', '')).toEqual({
    path: '/apis/apps/v1/deployments',
    rawQuery: 'watch=true',
  })
})

test('a namespace or an object of that name is nothing special', () => {
  for (const path of [
    '/api/v1/namespaces/watch/pods',
    '/api/v1/pods',
    '/apis/watch/v1/foos/watch',
  ]) {
    expect(fromOldWatchPath(path, '')).toBeUndefined()
  }
})
