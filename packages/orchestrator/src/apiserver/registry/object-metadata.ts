// The metadata that belongs to the system: set on create, kept on update, whatever the client sends.
import type { ObjectMeta } from '../../resources/object.ts'

/** RFC 3339, UTC, seconds. */
export const timestamp = (nowMs: number): string => `${new Date(nowMs).toISOString().slice(0, 19)}Z`

export const createdMetadata = (
  sent: ObjectMeta,
  name: string | undefined,
  set: { readonly uid: string; readonly creationTimestamp: string },
): ObjectMeta => {
  const {
    resourceVersion: _version,
    generation: _generation,
    deletionTimestamp: _deletion,
    deletionGracePeriodSeconds: _grace,
    name: _name,
    ...rest
  } = sent
  return { ...(name === undefined ? {} : { name }), ...rest, ...set }
}

export const updatedMetadata = (sent: ObjectMeta, current: ObjectMeta): ObjectMeta => {
  const {
    generation: _generation,
    deletionTimestamp: _deletion,
    deletionGracePeriodSeconds: _grace,
    generateName: _generateName,
    ...rest
  } = sent
  return {
    ...rest,
    ...kept(current, [
      'name',
      'generateName',
      'namespace',
      'uid',
      'resourceVersion',
      'generation',
      'creationTimestamp',
      'deletionTimestamp',
      'deletionGracePeriodSeconds',
    ]),
    ...(sent.managedFields === undefined ? kept(current, ['managedFields']) : {}),
  }
}

const kept = (from: ObjectMeta, fields: readonly (keyof ObjectMeta)[]): ObjectMeta =>
  Object.fromEntries(
    fields.flatMap((field) => (from[field] === undefined ? [] : [[field, from[field]]])),
  )
