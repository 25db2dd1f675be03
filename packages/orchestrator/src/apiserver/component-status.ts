// componentstatuses: an old question that `kubectl get cs` still asks. Nothing is stored. Scheduler and controllers run in this process, so
// they are well when it answers; of the store it is known.
import { column, nameColumn } from '../resources/columns.ts'
import type { Condition, KubeObject, ResourceType } from '../resources/object.ts'
import { methodNotAllowed, notFound } from './api-errors.ts'
import type { VirtualResource } from './discovery/discovery.ts'
import type { Registries } from './registry/registries.ts'
import { ObjectCodec, StoredObject } from './storage/stored-object.ts'
import type { Exchange } from './wire/exchange.ts'
import { sendList, sendObject, viewFor } from './wire/replies.ts'
import type { ResourcePath } from './wire/request-path.ts'

interface ComponentStatus extends KubeObject {
  readonly conditions: readonly (Condition & { readonly error?: string })[]
}

const names = {
  group: '',
  version: 'v1',
  kind: 'ComponentStatus',
  plural: 'componentstatuses',
  singular: 'componentstatus',
  shortNames: ['cs'],
  verbs: ['get', 'list'],
} as const

export const componentStatusResource: VirtualResource = names

const type: ResourceType<ComponentStatus> = {
  ...names,
  categories: [],
  namespaced: false,
  subresources: {},
  defaults: (object) => object,
  validate: () => [],
  columns: [
    nameColumn,
    column('Status', 'Whether the component is well.'),
    column('Message', 'What it says of itself.'),
    column('Error', 'What is wrong with it.'),
  ],
  cells: ({ metadata, conditions: [healthy] }) => [
    metadata.name ?? '',
    healthy?.status === 'True' ? 'Healthy' : 'Unhealthy',
    healthy?.message ?? '',
    healthy?.error ?? '',
  ],
}
const codec = new ObjectCodec(type)

export const isComponentStatus = ({ group, version, plural }: ResourcePath): boolean =>
  group === '' && version === 'v1' && plural === names.plural

export const handleComponentStatus = async (
  exchange: Exchange,
  path: ResourcePath,
  registries: Registries,
): Promise<void> => {
  if (exchange.method !== 'GET') throw methodNotAllowed()
  exchange.warn('v1 ComponentStatus is deprecated in v1.19+')
  const view = viewFor(exchange, type, registries.now())
  const all = componentStatuses(registries.watchCache.isReady).map((object) => {
    const { name = '' } = object.metadata
    return new StoredObject(codec, name, codec.encode(object), 0)
  })
  if (path.name === undefined) {
    const page = { items: all, revision: 0, continue: undefined, remaining: undefined }
    await sendList(exchange, view, page)
    return
  }
  const only = all.find(({ key }) => key === path.name)
  if (only === undefined) throw notFound({ group: '', resource: names.plural }, path.name)
  sendObject(exchange, 200, view, only)
}

const componentStatuses = (isStoreReady: boolean): ComponentStatus[] => [
  componentStatus('scheduler', true, 'ok'),
  componentStatus('controller-manager', true, 'ok'),
  componentStatus('etcd-0', isStoreReady, JSON.stringify({ health: String(isStoreReady) })),
]

const componentStatus = (name: string, isHealthy: boolean, message: string): ComponentStatus => ({
  apiVersion: 'v1',
  kind: names.kind,
  metadata: { name },
  conditions: [{ type: 'Healthy', status: isHealthy ? 'True' : 'False', message }],
})
