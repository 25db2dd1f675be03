// How the lists of a kind are merged by strategic merge patch, read from its schema.
import type { MergeKeys, ResourceType } from '../object.ts'
import { type Message, messageOfKind } from './messages.ts'

const known = new Map<Message, MergeKeys>()
const nothing: MergeKeys = {}

/** By path without indices. A kind without schema has none. */
export const mergeKeysOf = (type: ResourceType): MergeKeys => {
  const message = messageOfKind(type)
  if (message === undefined) return nothing
  let keys = known.get(message)
  if (keys === undefined) {
    keys = Object.fromEntries(
      message.fields.flatMap((field) => keysBelow(field, field.name, [message])),
    )
    known.set(message, keys)
  }
  return keys
}

/** `above`: the messages around the field; schemas that contain themselves end there. */
const keysBelow = (
  { type, shape, merge }: Message['fields'][number],
  path: string,
  above: readonly Message[],
): [string, string][] => {
  const own: [string, string][] = merge?.byPatch === true ? [[path, merge.keys[0] ?? '']] : []
  if (typeof type === 'string' || shape === 'map') return own
  const message = type.message()
  if (above.includes(message)) return own
  const around = [...above, message]
  return [
    ...own,
    ...message.fields.flatMap((field) => keysBelow(field, `${path}.${field.name}`, around)),
  ]
}
