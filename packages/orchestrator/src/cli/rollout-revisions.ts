// The revisions of a workload: the ReplicaSets of a Deployment, the ControllerRevisions of a StatefulSet or DaemonSet.
import type { ResourceRef } from '../client/api-client.ts'
import type { Json, KubeObject, Stored } from '../resources/object.ts'
import type { ApiSession } from './api-session.ts'

export interface Revision {
  readonly number: number
  readonly cause: string
  /** Of the pods. */
  readonly template: Template
}
type Template = { readonly [key: string]: Json | undefined }

interface Owned extends KubeObject {
  readonly revision?: number
  readonly data?: { readonly spec?: { readonly template?: Template } }
  readonly spec?: { readonly template?: Template }
}

const replicaSets: ResourceRef = { group: 'apps', version: 'v1', plural: 'replicasets' }
const controllerRevisions: ResourceRef = {
  group: 'apps',
  version: 'v1',
  plural: 'controllerrevisions',
}
const revisionKey = 'deployment.kubernetes.io/revision'
const causeKey = 'kubernetes.io/change-cause'
const hashKey = 'pod-template-hash'

/** Oldest first. */
export const revisionsOf = async (
  session: ApiSession,
  { metadata, kind }: Stored<KubeObject>,
): Promise<readonly Revision[]> => {
  const ref = kind === 'Deployment' ? replicaSets : controllerRevisions
  const { items } = await session.client.list<Owned>(ref, { namespace: session.namespace })
  return items
    .filter((item) => item.metadata.ownerReferences?.some(({ uid }) => uid === metadata.uid))
    .map((item) => ({
      number: item.revision ?? Number(item.metadata.annotations?.[revisionKey] ?? 0),
      cause: item.metadata.annotations?.[causeKey] ?? '<none>',
      template: plainTemplate(item.spec?.template ?? item.data?.spec?.template ?? {}),
    }))
    .toSorted((a, b) => a.number - b.number)
}

/** Without what the system has put there. */
const plainTemplate = ({ $patch: _directive, ...template }: Template): Template => {
  const { labels, ...metadata } = (template['metadata'] ?? {}) as {
    readonly labels?: Readonly<Record<string, string>>
    readonly [key: string]: Json | undefined
  }
  const { [hashKey]: _hash, ...own } = labels ?? {}
  return { ...template, metadata: { ...metadata, labels: own } }
}
