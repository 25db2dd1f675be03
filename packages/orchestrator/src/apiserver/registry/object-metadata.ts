// The metadata that belongs to the system: set on create, kept on update, whatever the client sends.
import type { ObjectMeta } from '../../resources/object.ts'

let lastSecond = Number.NaN
let lastTimestamp = ''

/** RFC 3339, UTC, seconds. Most calls are within one second. */
export const timestamp = (nowMs: number): string => {
  const second = Math.floor(nowMs / 1000)
  if (second !== lastSecond) {
    lastTimestamp = `${new Date(second * 1000).toISOString().slice(0, 19)}Z`
    lastSecond = second
  }
  return lastTimestamp
}

const systemFields: ReadonlySet<string> = new Set([
  'name',
  'resourceVersion',
  'generation',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
])

export const createdMetadata = (
  sent: ObjectMeta,
  name: string | undefined,
  set: { readonly uid: string; readonly creationTimestamp: string },
): ObjectMeta => {
  const made: Record<string, unknown> = name === undefined ? {} : { name }
  for (const field of Object.keys(sent))
    if (!systemFields.has(field)) made[field] = sent[field as keyof ObjectMeta]
  made['uid'] = set.uid
  made['creationTimestamp'] = set.creationTimestamp
  return made
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

/** What admission made of metadata that is updated: what the system keeps cannot be taken away; what may not change is refused later. */
export const admittedMetadata = (admitted: ObjectMeta, current: ObjectMeta): ObjectMeta => ({
  ...updatedMetadata(admitted, current),
  ...kept(admitted, ['name', 'namespace', 'uid', 'creationTimestamp']),
})

const kept = (from: ObjectMeta, fields: readonly (keyof ObjectMeta)[]): ObjectMeta =>
  Object.fromEntries(
    fields.flatMap((field) => (from[field] === undefined ? [] : [[field, from[field]]])),
  )
