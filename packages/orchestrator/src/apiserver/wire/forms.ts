// Objects in the form a client asked for: as they are, as rows of a Table, or as their metadata alone.
import type { KubeObject, ResourceType, Stored } from '../../resources/object.ts'
import { fromStored } from '../../resources/served-version.ts'
import { groupVersion } from '../registry/decode.ts'
import type { ListPage } from '../registry/list-reader.ts'
import { type StoredObject, withoutKind } from '../storage/stored-object.ts'
import type { Form } from './media-types.ts'

/** What a row of a Table carries besides its cells. */
export type IncludeObject = 'None' | 'Metadata' | 'Object'

/** How objects of one kind are shown to one client. */
export interface View {
  readonly type: ResourceType
  readonly form: Form
  readonly includeObject: IncludeObject
  /** Epoch milliseconds: ages are counted from it. */
  readonly now: number
}

const chunkBytes = 64 * 1024

/** Tells views apart that encode an object differently. */
export const formName = ({ type, form, includeObject }: View): string => {
  const as = type.storage === undefined ? '' : `/${groupVersion(type)}`
  switch (form.as) {
    case 'object':
      return form.encoding + as
    case 'table':
      return `table/${form.version}/${includeObject}${includeObject === 'Object' ? as : ''}`
    case 'partial':
      return `partial/${form.version}`
  }
}

/** The JSON of one object in the view's form. */
export const encodeObject = (view: View, stored: StoredObject, columns = true): Uint8Array => {
  switch (view.form.as) {
    case 'object':
      return objectJson(view, stored)
    case 'table':
      return json({
        ...tableHead(view, { resourceVersion: stored.object.metadata.resourceVersion }, columns),
        rows: [row(view, stored)],
      })
    case 'partial':
      return json(partial(stored.object, view.form.version))
  }
}

/** The JSON of a list, in parts of moderate size. */
export function* encodeList(view: View, page: ListPage): Generator<Uint8Array> {
  const metadata = {
    resourceVersion: String(page.revision),
    ...(page.continue === undefined ? {} : { continue: page.continue }),
    ...(page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
  }
  const head = listHead(view, metadata)
  let parts: Uint8Array[] = [
    Buffer.from(`${JSON.stringify(head.head).slice(0, -1)},"${head.items}":[`),
  ]
  let size = 0
  for (const [index, stored] of page.items.entries()) {
    const item = encodeItem(view, stored)
    if (index > 0) parts.push(comma)
    parts.push(item)
    size += item.length
    if (size < chunkBytes) continue
    yield Buffer.concat(parts)
    parts = []
    size = 0
  }
  parts.push(listEnd)
  yield Buffer.concat(parts)
}

const comma = Buffer.from(',')
const listEnd = Buffer.from(']}')

const listHead = (view: View, metadata: object): { head: object; items: string } => {
  const { type, form } = view
  switch (form.as) {
    case 'object':
      return {
        head: { kind: `${type.kind}List`, apiVersion: groupVersion(type), metadata },
        items: 'items',
      }
    case 'table':
      return { head: tableHead(view, metadata, true), items: 'rows' }
    case 'partial':
      return {
        head: {
          kind: 'PartialObjectMetadataList',
          apiVersion: `meta.k8s.io/${form.version}`,
          metadata,
        },
        items: 'items',
      }
  }
}

const encodeItem = (view: View, stored: StoredObject): Uint8Array => {
  switch (view.form.as) {
    case 'object':
      return listedJson(view, stored)
    case 'table':
      return json(row(view, stored))
    case 'partial':
      return json(partial(stored.object, view.form.version))
  }
}

const tableHead = (view: View, metadata: object, columns: boolean): object => ({
  kind: 'Table',
  apiVersion: `meta.k8s.io/${view.form.as === 'table' ? view.form.version : 'v1'}`,
  metadata,
  columnDefinitions: columns
    ? view.type.columns.map((column) => ({ ...column, format: column.format ?? '' }))
    : null,
})

const objectJson = ({ type }: View, stored: StoredObject): Uint8Array =>
  type.storage === undefined ? stored.json : json(fromStored(type, stored.object))

/** Lists of built-in kinds name the kind once, as typed lists do; objects of custom kinds name it each. */
const listedJson = ({ type }: View, stored: StoredObject): Uint8Array => {
  if (type.custom !== undefined) {
    return type.storage === undefined ? stored.passingJson : json(fromStored(type, stored.object))
  }
  return type.storage === undefined
    ? stored.itemJson
    : json(withoutKind(fromStored(type, stored.object)))
}

const row = (view: View, stored: StoredObject): object => {
  const { object } = stored
  // Versions of custom kinds have columns of their own.
  const columns = view.type.custom === undefined ? (view.type.storage ?? view.type) : view.type
  const cells = columns.cells(object, view.now)
  switch (view.includeObject) {
    case 'None':
      return { cells, object: null }
    case 'Metadata':
      return { cells, object: partial(object, 'v1') }
    case 'Object':
      return { cells, object: fromStored(view.type, object) }
  }
}

const partial = ({ metadata }: Stored<KubeObject>, version: string): object => ({
  kind: 'PartialObjectMetadata',
  apiVersion: `meta.k8s.io/${version}`,
  metadata,
})

const json = (value: object): Buffer => Buffer.from(JSON.stringify(value))

/** What a bookmark shows: the kind and how far the watch has come. */
export const bookmarkObject = (view: View, revision: number, isInitialEnd: boolean): object => {
  const metadata = {
    resourceVersion: String(revision),
    creationTimestamp: null,
    ...(isInitialEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
  }
  switch (view.form.as) {
    case 'object':
      return { kind: view.type.kind, apiVersion: groupVersion(view.type), metadata }
    case 'partial':
      return {
        kind: 'PartialObjectMetadata',
        apiVersion: `meta.k8s.io/${view.form.version}`,
        metadata,
      }
    case 'table': {
      const object = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata }
      const cells = view.type.columns.map(() => null)
      return {
        ...tableHead(view, { resourceVersion: String(revision) }, false),
        rows: [{ cells, object }],
      }
    }
  }
}
