// How the fields of a kind are owned: which objects and lists are owned part by part, and which as a whole. Made from the schemas; a
// kind that has none there is described by its OpenAPI schema.
import type { Json, ResourceType } from '../../resources/object.ts'
import { isJsonList, isJsonObject, type JsonObject } from '../../resources/patch/patch-result.ts'
import {
  type Field,
  type FieldType,
  type Message,
  messageOfKind,
} from '../../resources/schema/messages.ts'

export interface Structure {
  /** Of an object's member; undefined: the object has one owner. */
  member(name: string): Structure | undefined
  /** Of a list's items, and what tells them apart (no keys: the items themselves); undefined: the list has one owner. */
  readonly items: { readonly keys: readonly string[]; readonly structure: Structure } | undefined
}

const whole: Structure = { member: () => undefined, items: undefined }
/** An object of unknown fields: each has an owner, lists have one. */
const open: Structure = { member: () => open, items: undefined }

export const structureOf = (type: ResourceType): Structure => {
  if (type.openApiSchema !== undefined) return fromJsonSchema(type.openApiSchema, true)
  const message = messageOfKind(type)
  return message === undefined ? open : fromMessage(message)
}

/** The value that a key of a list has where an item leaves it out. */
export const keyDefaults: Readonly<Record<string, Json>> = { protocol: 'TCP' }

const messageStructures = new WeakMap<Message, Structure>()
const fieldStructures = new WeakMap<Field, Structure>()
const jsonStructures = new WeakMap<JsonObject, Structure>()

const fromMessage = (message: Message): Structure => {
  let structure = messageStructures.get(message)
  if (structure === undefined) {
    structure = message.isAtomic
      ? whole
      : {
          // What the kind does not have never gets here: decoding drops it.
          member: (name) => {
            const field = message.byName.get(name)
            return field === undefined ? whole : fromField(field)
          },
          items: undefined,
        }
    messageStructures.set(message, structure)
  }
  return structure
}

const fromField = (field: Field): Structure => {
  let structure = fieldStructures.get(field)
  if (structure === undefined) {
    structure = makeFieldStructure(field)
    fieldStructures.set(field, structure)
  }
  return structure
}

const makeFieldStructure = ({ shape, type, merge, isAtomic }: Field): Structure => {
  if (shape === 'one') return fromType(type)
  if (shape === 'map') {
    // Messages are looked up when they are needed: they may contain themselves.
    return isAtomic ? whole : { member: () => fromType(type), items: undefined }
  }
  if (merge === undefined || !merge.byOwner) return whole
  const { keys } = merge
  return {
    member: () => undefined,
    get items() {
      return { keys, structure: fromType(type) }
    },
  }
}

const fromType = (type: FieldType): Structure =>
  typeof type === 'string' ? whole : fromMessage(type.message())

const metadata = { group: '', version: 'v1', kind: 'ObjectMeta' }

const fromJsonSchema = (schema: JsonObject, isRoot = false): Structure => {
  let structure = jsonStructures.get(schema)
  if (structure === undefined) {
    structure = makeJsonStructure(schema, isRoot)
    jsonStructures.set(schema, structure)
  }
  return structure
}

const makeJsonStructure = (schema: JsonObject, isRoot: boolean): Structure => {
  const { properties, additionalProperties, items } = schema
  const listType = schema['x-kubernetes-list-type']
  if (isJsonObject(items) && (listType === 'map' || listType === 'set')) {
    const named = schema['x-kubernetes-list-map-keys']
    const keys = isJsonList(named) ? named.filter((key) => typeof key === 'string') : []
    return {
      member: () => undefined,
      items: { keys: listType === 'map' ? keys : [], structure: fromJsonSchema(items) },
    }
  }
  if (schema['x-kubernetes-map-type'] === 'atomic' || items !== undefined) return whole
  if (schema['x-kubernetes-preserve-unknown-fields'] === true) return open
  return {
    member: (name) => {
      if (isRoot && name === 'metadata') {
        const message = messageOfKind(metadata)
        return message === undefined ? open : fromMessage(message)
      }
      const known = isJsonObject(properties) ? properties[name] : undefined
      if (isJsonObject(known)) return fromJsonSchema(known)
      return isJsonObject(additionalProperties) ? fromJsonSchema(additionalProperties) : whole
    },
    items: undefined,
  }
}
