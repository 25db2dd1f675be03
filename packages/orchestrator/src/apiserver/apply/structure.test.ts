// Owned fields of kinds that only their OpenAPI schema describes, and of hostile objects.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { configMapType, podType, resourceTypes } from '../../resources/index.ts'
import type { Json, ResourceType } from '../../resources/object.ts'
import {
  changedPaths,
  decodeFields,
  encodeFields,
  fieldPaths,
  valueAt,
  withoutPath,
} from './field-paths.ts'
import { mergeConfig } from './merge-config.ts'
import { ownedFields } from './owned-fields.ts'
import { structureOf } from './structure.ts'

const list = (items: object, more: object): object => ({ type: 'array', items, ...more })
const widgetType: ResourceType = {
  ...configMapType,
  group: 'shop.example.com',
  kind: 'Widget',
  openApiSchema: {
    type: 'object',
    properties: {
      parts: list(
        { type: 'object', properties: { id: { type: 'string' }, size: { type: 'integer' } } },
        { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['id'] },
      ),
      tags: list({ type: 'string' }, { 'x-kubernetes-list-type': 'set' }),
      order: list({ type: 'string' }, {}),
      place: { type: 'object', 'x-kubernetes-map-type': 'atomic', properties: { x: {}, y: {} } },
      any: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      counts: { type: 'object', additionalProperties: { type: 'integer' } },
    },
  } as unknown as NonNullable<ResourceType['openApiSchema']>,
}

test('a schema says which lists, maps and objects are owned part by part', () => {
  const object = {
    metadata: { labels: { a: 'b' }, name: 'w' },
    parts: [{ id: 'p', size: 1 }],
    tags: ['t'],
    order: ['o'],
    place: { x: 1, y: 2 },
    any: { deep: { x: [1] } },
    counts: { c: 1 },
  }
  expect(encodeFields(fieldPaths(object, structureOf(widgetType), 'main'))).toEqual({
    'f:metadata': { 'f:labels': { 'f:a': {} } },
    'f:parts': { 'k:{"id":"p"}': { '.': {}, 'f:id': {}, 'f:size': {} } },
    'f:tags': { 'v:"t"': {} },
    'f:order': {},
    'f:place': {},
    'f:any': { 'f:deep': { 'f:x': {} } },
    'f:counts': { 'f:c': {} },
  })
})

test('items stand in the order of the configuration, and those of others behind what they followed', () => {
  const items = (...ids: string[]): Json => ids.map((id) => ({ id }))
  const merged = mergeConfig(
    { parts: items('x', 'a', 'y', 'b') },
    { parts: items('b', 'new', 'a') },
    structureOf(widgetType),
  )
  expect(merged).toEqual({ parts: items('x', 'b', 'new', 'a', 'y') })
})

test('whatever the object is, its paths lead to its values, survive encoding, and differ only where objects do', () => {
  const types = [podType, widgetType, ...resourceTypes.slice(0, 5)]
  const member = fc.constantFrom(
    'spec',
    'metadata',
    'status',
    'labels',
    'containers',
    'name',
    'ports',
    'parts',
    'tags',
    'id',
    '__proto__',
    'a.b',
  )
  const { value: json } = fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom<Json>('x', 1, true, '', {}),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(member, tie('value'), { maxKeys: 4 }),
    ),
  }))
  fc.assert(
    fc.property(fc.constantFrom(...types), json, json, (type, before, after) => {
      const structure = structureOf(type)
      const paths = fieldPaths(after, structure, 'main')
      expect(decodeFields(encodeFields(paths))).toEqual(paths)
      for (const part of ['main', 'status'] as const) {
        const owned = ownedFields(after, structure, part)
        expect(owned).toEqual(encodeFields(fieldPaths(after, structure, part)))
      }
      for (const path of paths) {
        expect(valueAt(after, path)).toBeDefined()
        withoutPath(after, path)
      }
      expect(changedPaths(after, after, structure, 'main').size).toBe(0)
      for (const path of changedPaths(before, after, structure, 'main')) {
        expect(paths.has(path)).toBe(true)
      }
      mergeConfig(before, after, structure)
    }),
    { seed: 20_261_121, numRuns: 400 },
  )
})
