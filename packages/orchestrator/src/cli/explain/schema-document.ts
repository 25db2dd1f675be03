// What `balsa explain` reads of an OpenAPI v3 document: schemas by name, references followed, fields found through lists and maps.

export interface Schema {
  readonly $ref?: string
  readonly type?: string
  readonly description?: string
  readonly enum?: readonly unknown[]
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly additionalProperties?: Schema | boolean
  readonly allOf?: readonly Schema[]
  readonly 'x-kubernetes-group-version-kind'?: readonly GroupVersionKind[]
}
export interface GroupVersionKind {
  readonly group: string
  readonly version: string
  readonly kind: string
}
export interface SchemaDocument {
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> }
}

const referencePrefix = '#/components/schemas/'

/** undefined: the document has none of that kind. */
export const schemaOfKind = (
  { components }: SchemaDocument,
  wanted: GroupVersionKind,
): Schema | undefined =>
  Object.values(components?.schemas ?? {}).find((schema) =>
    schema['x-kubernetes-group-version-kind']?.some(
      ({ group, version, kind }) =>
        group === wanted.group && version === wanted.version && kind === wanted.kind,
    ),
  )

/** The schema that a reference means; itself, where it is none. */
export const followed = ({ components }: SchemaDocument, schema: Schema): Schema => {
  const { $ref } = schema
  if ($ref?.startsWith(referencePrefix) !== true) return schema
  return components?.schemas?.[$ref.slice(referencePrefix.length)] ?? {}
}

/** `[]Container`, `map[string]string`, `ObjectMeta`, `integer`: as kubectl names types, of which references name objects alone. */
export const typeName = (document: SchemaDocument, schema: Schema): string => {
  const { $ref, items, additionalProperties, allOf, type } = schema
  if ($ref !== undefined) {
    const target = followed(document, schema).type
    return target === undefined || target === 'object' ? ($ref.split('.').at(-1) ?? '') : target
  }
  if (items !== undefined) return `[]${typeName(document, items)}`
  if (typeof additionalProperties === 'object')
    return `map[string]${typeName(document, additionalProperties)}`
  const [only, ...others] = allOf ?? []
  if (only !== undefined && others.length === 0) return typeName(document, only)
  return type === undefined || type === 'object' ? 'Object' : type
}

/** What an object of this schema, a list of them or a map of them is made of. `references` is what was followed on the way. */
export interface Fields {
  readonly properties: readonly (readonly [string, Schema])[]
  readonly required: readonly string[]
  readonly references: readonly string[]
}

/** References in `seen` are not followed again: some kinds contain themselves. */
export const fieldsOf = (
  document: SchemaDocument,
  schema: Schema,
  seen: readonly string[] = [],
): Fields => {
  const { $ref } = schema
  if ($ref !== undefined) {
    if (seen.includes($ref)) return { properties: [], required: [], references: seen }
    return fieldsOf(document, followed(document, schema), [...seen, $ref])
  }
  const { properties, required = [], items, additionalProperties, allOf = [] } = schema
  if (properties !== undefined) {
    const sorted = Object.entries(properties).toSorted(([left], [right]) => (left < right ? -1 : 1))
    return { properties: sorted, required, references: seen }
  }
  const inner = [
    ...(items === undefined ? [] : [items]),
    ...(typeof additionalProperties === 'object' ? [additionalProperties] : []),
    ...allOf,
  ]
  for (const each of inner) {
    const fields = fieldsOf(document, each, seen)
    if (fields.properties.length > 0) return fields
  }
  return { properties: [], required: [], references: seen }
}

/** Its own description and that of what it is made of, below each other. */
export const descriptions = (document: SchemaDocument, schema: Schema): readonly string[] => {
  const { description = '', $ref, items, additionalProperties, allOf = [] } = schema
  const inner = [
    ...($ref === undefined ? [] : [followed(document, schema)]),
    ...(items === undefined ? [] : [items]),
    ...(typeof additionalProperties === 'object' ? [additionalProperties] : []),
    ...allOf,
  ]
  return [
    ...(description === '' ? [] : [description]),
    ...inner.flatMap((each) => descriptions(document, each)),
  ]
}
