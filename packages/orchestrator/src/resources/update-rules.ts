// What every kind does on create and update: who may write status, and when generation grows.
import { jsonEqual } from './json-equal.ts'
import type { KubeObject } from './object.ts'

interface WithSpec extends KubeObject {
  readonly spec?: unknown
  readonly status?: unknown
}

export const allVerbs: readonly string[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
]

/** On create: the first generation. */
export const withFirstGeneration = <T extends KubeObject>(object: T): T => ({
  ...object,
  metadata: { ...object.metadata, generation: 1 },
})

/** On update of the main resource: the stored status stays, whatever the client sent. */
export const keepStatus = <T extends WithSpec>(object: T, old: T): T => {
  const { status: _sent, ...rest } = object
  // The rest and the old status are what T is made of; the compiler cannot see that through the spread.
  return (old.status === undefined ? rest : { ...rest, status: old.status }) as T
}

/** The old generation, or the next one when `changed`. */
export const withGeneration = <T extends KubeObject>(object: T, old: T, changed: boolean): T => ({
  ...object,
  metadata: {
    ...object.metadata,
    generation: (old.metadata.generation ?? 0) + (changed ? 1 : 0),
  },
})

/** The usual rule: status is kept, generation grows when spec differs. */
export const prepareSpecUpdate = <T extends WithSpec>(object: T, old: T): T =>
  withGeneration(keepStatus(object, old), old, !jsonEqual(object.spec, old.spec))
