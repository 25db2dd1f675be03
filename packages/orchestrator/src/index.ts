// The public names of @balsa/orchestrator.
export { startCluster } from './cluster.ts'
export type { Cluster, ClusterOptions } from './cluster.ts'
export type { FakeNodesOptions } from './fake/fake-nodes.ts'
export type { PodStage } from './fake/pod-stages.ts'
export { ApiError } from './client/api-client.ts'
export type {
  ApiClient,
  ApiWatchHandlers,
  ListOptions,
  ListResult,
  PatchType,
  ResourceRef,
  WatchEvent,
} from './client/api-client.ts'
export type { KubeObject, ObjectMeta, Stored } from './resources/object.ts'
