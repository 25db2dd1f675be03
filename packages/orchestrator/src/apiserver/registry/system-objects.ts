// What every cluster has from its first start: the namespaces of the system.
import type { ApiClient } from '../../client/api-client.ts'
import { ApiError } from '../../client/api-client.ts'
import type { KubeObject } from '../../resources/object.ts'
import { systemNamespaces } from './namespace-lifecycle.ts'

const namespaces = { group: '', version: 'v1', plural: 'namespaces' }

/** Creates what is missing; what is there stays as it is. */
export const createSystemObjects = async (client: ApiClient): Promise<void> => {
  for (const name of systemNamespaces) {
    await createMissing(client, namespaces, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name },
    })
  }
}

export const createMissing = async (
  client: ApiClient,
  ref: Parameters<ApiClient['create']>[0],
  object: KubeObject,
): Promise<void> => {
  try {
    await client.create(ref, object)
  } catch (reason) {
    if (!(reason instanceof ApiError) || reason.reason !== 'AlreadyExists') throw reason
  }
}
