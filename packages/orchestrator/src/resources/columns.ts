// Makes printer columns: what `kubectl get` shows of a kind, in upstream's order.
import type { Column } from './object.ts'

export const nameColumn: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'Name must be unique within a namespace.',
  priority: 0,
}
export const ageColumn: Column = {
  name: 'Age',
  type: 'string',
  description: 'Time since the object was created.',
  priority: 0,
}

/** Always shown. */
export const column = (
  name: string,
  description: string,
  type: Column['type'] = 'string',
): Column => ({ name, type, description, priority: 0 })

/** Shown with `-o wide`. */
export const wideColumn = (
  name: string,
  description: string,
  type: Column['type'] = 'string',
): Column => ({ name, type, description, priority: 1 })

/** `<none>` instead of nothing. */
export const orNone = (text: string | undefined): string =>
  text === undefined || text === '' ? '<none>' : text
