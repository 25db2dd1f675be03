// An object as a program in Go writes it: what its messages always write is there, as nothing. `--dry-run=client` shows objects so.
import { type Field, type Message, messageOfKind } from '../../resources/schema/messages.ts'
import { isMembers } from '../without-managed-fields.ts'
import type { Manifested } from './generator.ts'

export const asGoWrites = (object: Manifested): Manifested => {
  const [version = '', group = ''] = object.apiVersion.split('/').toReversed()
  const message = messageOfKind({ group, version, kind: object.kind })
  return message === undefined ? object : { ...object, ...completed(object, message) }
}

const completed = (value: unknown, message: Message): Record<string, unknown> => {
  const members = isMembers(value) ? value : {}
  const all: Record<string, unknown> = { ...members }
  for (const field of message.fields) {
    const member = members[field.name]
    if (member !== undefined) all[field.name] = completedField(member, field)
    else if (field.always || isMetadata(field)) all[field.name] = nothing(field)
  }
  return message.name === 'ObjectMeta' ? { creationTimestamp: null, ...all } : all
}

/** Templates have metadata too, if nothing is in it. */
const isMetadata = ({ name, type }: Field): boolean =>
  name === 'metadata' && typeof type !== 'string' && type.name === 'ObjectMeta'

const completedField = (value: unknown, { type, shape }: Field): unknown => {
  if (typeof type === 'string' || shape === 'map') return value
  const message = type.message()
  if (shape === 'one') return completed(value, message)
  return Array.isArray(value) ? value.map((item) => completed(item, message)) : value
}

const nothing = ({ type, shape }: Field): unknown => {
  if (shape !== 'one') return null
  if (typeof type !== 'string') return completed({}, type.message())
  if (type === 'string') return ''
  if (type === 'bool') return false
  return type === 'int32' || type === 'int64' || type === 'double' ? 0 : null
}
