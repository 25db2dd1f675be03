// As kubectl, `balsa get` leaves out who owns which field: it is long and for machines.

export type Members = { readonly [key: string]: unknown }

export const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** An object, or a list of objects, without metadata.managedFields. */
export const withoutManagedFields = (value: unknown): unknown => {
  if (!isMembers(value)) return value
  const { items, metadata } = value
  if (Array.isArray(items)) return { ...value, items: items.map(withoutManagedFields) }
  if (!isMembers(metadata) || !('managedFields' in metadata)) return value
  const { managedFields: _owners, ...rest } = metadata
  return { ...value, metadata: rest }
}
