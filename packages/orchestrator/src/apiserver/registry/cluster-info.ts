// The ConfigMap `cluster-info` of kube-public: which authority a machine that joins will find here. Everybody may read it; whoever does
// checks it against a hash that was told otherwise.
import type { ApiClient } from '../../client/api-client.ts'
import { createUnlessThere } from '../../client/create-unless-there.ts'
import { isApiError } from '../../client/is-api-error.ts'
import { configMapType, type ConfigMap } from '../../resources/config-map.ts'
import { clusterKubeconfigText } from '../pki/kubeconfig.ts'

export const clusterInfoName = { namespace: 'kube-public', name: 'cluster-info' } as const
export const clusterInfoKey = 'kubeconfig'

/** Creates it, or corrects what it says. */
export const publishClusterInfo = async (
  client: ApiClient,
  { url, authority }: { readonly url: string; readonly authority: string },
): Promise<void> => {
  const kubeconfig = clusterKubeconfigText(url, authority)
  const { namespace, name } = clusterInfoName
  try {
    const current = await client.get<ConfigMap>(configMapType, namespace, name)
    if (current.data?.[clusterInfoKey] === kubeconfig) return
    const data = { ...current.data, [clusterInfoKey]: kubeconfig }
    await client.update<ConfigMap>(configMapType, { ...current, data })
  } catch (reason) {
    // Another server that starts at the same time writes the same.
    if (isApiError(reason, 409)) return
    if (!isApiError(reason, 404)) throw reason
    const wanted: ConfigMap = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace, name },
      data: { [clusterInfoKey]: kubeconfig },
    }
    await createUnlessThere(client, configMapType, wanted)
  }
}
