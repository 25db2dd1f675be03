// The public names of @balsa/orchestrator/client: what a program that talks to a Kubernetes API is written with, an operator above all.
export { ApiError } from './api-client.ts'
export type {
  ApiClient,
  ApiWatchHandlers,
  ApplyOptions,
  ListOptions,
  ListResult,
  PatchType,
  ResourceRef,
  WatchEvent,
} from './api-client.ts'
export { connectApi } from './connect-api.ts'
export type { ApiConnection, ConnectOptions } from './connect-api.ts'
export { startController } from './controller.ts'
export type { Controller, ControllerOptions, OwnedObjects } from './controller.ts'
export { ApiEventRecorder, referenceTo } from './event-recorder.ts'
export type { EventInput, EventRecorder } from './event-recorder.ts'
export { ConnectionError } from './http-transport.ts'
export type { ApiServerAddress } from './http-transport.ts'
export { Informer } from './informer.ts'
export type { ChangeHandler, InformerOptions } from './informer.ts'
export { isApiError, isConflict } from './is-api-error.ts'
export { LeaderElection } from './leader-election.ts'
export type { LeaderElectionOptions } from './leader-election.ts'
export { keyOf, objectKey, splitKey } from './object-cache.ts'
export type { IndexFunction } from './object-cache.ts'
export { Resource } from './resource.ts'
export type { ObjectName } from './resource.ts'
export { hasCondition, waitFor } from './wait-for.ts'
export type { WaitOptions } from './wait-for.ts'
export { WorkQueue } from './work-queue.ts'
export type { WorkQueueOptions } from './work-queue.ts'
export type { Condition, Json, KubeObject, ObjectMeta, Stored } from '../resources/object.ts'
