// Manifests of one text, several documents each, YAML as kubectl understands it (YAML 1.1 booleans and octals, no base-60 numbers, no
// dates).
import type { Tags } from 'yaml'
import type { Json, KubeObject } from '../resources/object.ts'
import { yaml } from './yaml.ts'

export interface Manifest {
  /** The file it is from, for messages; `STDIN` for `-`. */
  readonly source: string
  readonly object: KubeObject & { readonly [key: string]: unknown }
}

/** YAML 1.1 types that kubectl's parser does not have. */
const foreignTags = new Set(['timestamp', 'binary', 'omap', 'pairs', 'set'])

/** The objects of one text; lists of any kind are taken apart. Throws Error with one line that names `source`. */
export const parseManifests = (text: string, source: string): Manifest[] => {
  const documents = yaml().parseAllDocuments(text, {
    version: '1.1',
    merge: true,
    customTags: (tags): Tags =>
      tags.filter(
        (tag) =>
          typeof tag === 'string' ||
          !(foreignTags.has(tag.tag.replace('tag:yaml.org,2002:', '')) || tag.format === 'TIME'),
      ),
  })
  if (!Array.isArray(documents)) return []
  return documents.flatMap((document) => {
    const problem = document.errors[0]
    if (problem !== undefined) {
      throw new Error(
        `error parsing ${source}: ${(problem.message.split('\n')[0] ?? '').replace(/:$/, '')}`,
      )
    }
    return objectsOf(
      toJson(() => document.toJS() as unknown, source),
      source,
    )
  })
}

const toJson = (convert: () => unknown, source: string): Json => {
  try {
    // Only what JSON can say goes to the server.
    return JSON.parse(JSON.stringify(convert() ?? null)) as Json
  } catch (reason) {
    const why = reason instanceof Error ? reason.message : String(reason)
    throw new Error(`error parsing ${source}: ${why}`, { cause: reason })
  }
}

const objectsOf = (value: Json, source: string): Manifest[] => {
  if (value === null) return []
  if (typeof value !== 'object' || !('apiVersion' in value || 'kind' in value)) {
    const missing = '[apiVersion not set, kind not set]'
    throw new Error(`error validating ${JSON.stringify(source)}: error validating data: ${missing}`)
  }
  const { apiVersion, kind, metadata, items } = value
  if (typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items)) {
    return (items as readonly Json[]).flatMap((item) => objectsOf(item, source))
  }
  const missing = [
    ...(typeof apiVersion === 'string' && apiVersion !== '' ? [] : ['apiVersion not set']),
    ...(typeof kind === 'string' && kind !== '' ? [] : ['kind not set']),
  ]
  if (missing.length > 0) {
    const list = missing.length === 1 ? missing.join('') : `[${missing.join(', ')}]`
    throw new Error(`error validating ${JSON.stringify(source)}: error validating data: ${list}`)
  }
  const isObject = typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata)
  // apiVersion and kind have just been checked; the server checks all the rest.
  const object = { ...value, metadata: isObject ? metadata : {} } as unknown as Manifest['object']
  return [{ source, object }]
}
