// Applies a text of manifests through an in-process client, as `kubectl apply --server-side` does: what tests set a cluster up with.
import type { ApiClient, ResourceRef } from './client/api-client.ts'
import { parseManifests } from './client/parse-manifests.ts'
import { hasCondition, waitFor } from './client/wait-for.ts'
import { customResourceDefinitionType } from './resources/custom/custom-resource-definition.ts'
import type { KubeObject, ResourceType, Stored } from './resources/object.ts'

const fieldManager = 'balsa'
const namespaceDefault = 'default'

/**
 * One after the other, in the order of the text, those without a namespace in `default`; a definition is waited for until its kind is
 * served. Rejects at the first that is refused.
 */
export const applyManifests = async (
  client: ApiClient,
  servedTypes: () => readonly ResourceType[],
  text: string,
): Promise<Stored<KubeObject>[]> => {
  const applied: Stored<KubeObject>[] = []
  for (const { object } of parseManifests(text, 'the manifests')) {
    const { apiVersion, kind, metadata } = object
    const type = servedTypes().find((one) => one.kind === kind && groupVersion(one) === apiVersion)
    if (type === undefined)
      throw new Error(`no matches for kind "${kind}" in version "${apiVersion}"`)
    const namespace = type.namespaced ? (metadata.namespace ?? namespaceDefault) : undefined
    const placed = {
      ...object,
      metadata: { ...metadata, ...(namespace === undefined ? {} : { namespace }) },
    }
    const stored = await client.apply<KubeObject>(type, placed, { fieldManager, force: true })
    if (type.plural === customResourceDefinitionType.plural) {
      const isServed = (current: KubeObject | undefined): boolean =>
        hasCondition(current, 'Established')
      await waitFor(client, type, { name: stored.metadata.name }, isServed)
    }
    applied.push(stored)
  }
  return applied
}

const groupVersion = ({ group, version }: ResourceRef): string =>
  group === '' ? version : `${group}/${version}`
