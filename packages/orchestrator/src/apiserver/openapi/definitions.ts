// The schemas of the API as OpenAPI describes them, made from the same tables that decode objects: one definition a message, by the
// names that upstream gives them.
import type { Json, ResourceType } from '../../resources/object.ts'
import { descriptionOf } from '../../resources/schema/descriptions.ts'
import { defaultOf, enumOf } from '../../resources/schema/enums.ts'
import {
  allMessages,
  type Field,
  type FieldType,
  findMessage,
  type Message,
  messageOfKind,
  type ScalarType,
} from '../../resources/schema/messages.ts'
import { groupVersion } from '../registry/decode.ts'

export type Schema = { readonly [key: string]: Json | undefined }

/** What OpenAPI needs to know of a served kind. */
export type DescribedKind = Pick<ResourceType, 'group' | 'version' | 'kind' | 'openApiSchema'>

export interface Gvk {
  readonly group: string
  readonly version: string
  readonly kind: string
}

/** The two versions of OpenAPI write some scalars differently, and references. */
export interface Dialect {
  readonly refPrefix: string
  readonly scalars: Readonly<Record<ScalarType, Schema>>
  /** Enums and defaults; upstream leaves them out of v2. */
  readonly tellsChoices: boolean
}

const text: Schema = { type: 'string' }
const common: Omit<Dialect['scalars'], 'intOrString' | 'quantity'> = {
  string: text,
  bool: { type: 'boolean' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  double: { type: 'number', format: 'double' },
  bytes: { type: 'string', format: 'byte' },
  time: { type: 'string', format: 'date-time' },
  microTime: { type: 'string', format: 'date-time' },
  strings: { type: 'array', items: text },
  json: { type: 'object' },
  raw: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
}

export const dialectV2: Dialect = {
  refPrefix: '#/definitions/',
  scalars: { ...common, intOrString: { type: 'string', format: 'int-or-string' }, quantity: text },
  tellsChoices: false,
}
export const dialectV3: Dialect = {
  refPrefix: '#/components/schemas/',
  scalars: {
    ...common,
    intOrString: { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] },
    quantity: { oneOf: [{ type: 'string' }, { type: 'number' }] },
  },
  tellsChoices: true,
}

/** Definitions of `kinds`, of their lists and of all they are made of, by name. */
export const definitionsOf = (
  kinds: readonly DescribedKind[],
  dialect: Dialect,
): Map<string, Schema> => {
  const definitions = new Definitions(dialect)
  for (const kind of kinds) definitions.addKind(kind)
  return definitions.byName
}

/** e.g. `io.k8s.api.apps.v1.Deployment`; groups that are not Kubernetes' own are turned around: `com.example.v1.Widget`. */
export const definitionName = (kind: DescribedKind): string => {
  const message = messageOfKind(kind)
  // Only a version that has messages of its own is named by them; betas that borrow others' have names of their own.
  if (kind.openApiSchema === undefined && message !== undefined) {
    const [group = ''] = message.packageName.split('/')
    return `${packagePrefix(group)}${group}.${kind.version}.${kind.kind}`
  }
  return [...kind.group.split('.').toReversed(), kind.version, kind.kind].join('.')
}

const packagePrefix = (group: string): string => {
  switch (group) {
    case 'meta':
      return 'io.k8s.apimachinery.pkg.apis.'
    case 'apiextensions':
      return 'io.k8s.apiextensions-apiserver.pkg.apis.'
    case 'apiregistration':
      return 'io.k8s.kube-aggregator.pkg.apis.'
    default:
      return 'io.k8s.api.'
  }
}

const messageName = ({ packageName, name }: Message): string => {
  const [group = ''] = packageName.split('/')
  return `${packagePrefix(group)}${packageName.replace('/', '.')}.${name}`
}

class Definitions {
  readonly byName = new Map<string, Schema>()
  readonly #dialect: Dialect

  constructor(dialect: Dialect) {
    this.#dialect = dialect
  }

  addKind(kind: DescribedKind): void {
    const name = definitionName(kind)
    const message = kind.openApiSchema === undefined ? messageOfKind(kind) : undefined
    const gvk = [gvkOf(kind, kind.kind)]
    if (message !== undefined) {
      const schema = this.#messageSchema(message)
      this.byName.set(name, { ...schema, 'x-kubernetes-group-version-kind': gvk })
    } else {
      const { properties, ...rest } = kind.openApiSchema ?? { type: 'object' }
      const own = { apiVersion: text, kind: text, metadata: this.#ref(metaMessage('ObjectMeta')) }
      this.byName.set(name, {
        ...rest,
        properties: { ...(properties as Schema | undefined), ...own },
        'x-kubernetes-group-version-kind': gvk,
      })
    }
    if (message?.byName.get('metadata') === undefined && message !== undefined) return
    this.byName.set(`${name}List`, {
      type: 'object',
      description: `A list of objects of the kind ${kind.kind}.`,
      required: ['items'],
      properties: {
        apiVersion: text,
        items: { type: 'array', items: { $ref: this.#dialect.refPrefix + name } },
        kind: text,
        metadata: this.#ref(metaMessage('ListMeta')),
      },
      'x-kubernetes-group-version-kind': [gvkOf(kind, `${kind.kind}List`)],
    })
  }

  #messageSchema(message: Message): Schema {
    const required = message.fields.filter((field) => field.required).map((field) => field.name)
    const properties = Object.fromEntries(
      message.fields
        .toSorted((a, b) => (a.name < b.name ? -1 : 1))
        .map((field) => [field.name, this.#property(message, field)]),
    )
    const description = descriptionOf(message.name)
    return {
      ...(description === undefined ? {} : { description }),
      type: 'object',
      ...(message.fields.length === 0 ? {} : { properties }),
      ...(required.length === 0 ? {} : { required: required.toSorted() }),
      ...(message.isAtomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
    }
  }

  #property(message: Message, field: Field): Schema {
    const { shape, type, isAtomic } = field
    const description = descriptionOf(message.name, field.name)
    const about = description === undefined ? {} : { description }
    if (shape === 'one') {
      const schema = this.#type(type)
      const extensions = {
        ...about,
        ...this.#choices(message, field),
        ...patchStrategy(field),
      }
      // A reference stands alone: what is beside it would not be read.
      return '$ref' in schema && Object.keys(extensions).length > 0
        ? { allOf: [schema], ...extensions }
        : { ...schema, ...extensions }
    }
    if (shape === 'map') {
      return {
        ...about,
        type: 'object',
        additionalProperties: this.#type(type),
        ...(isAtomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
      }
    }
    return {
      ...about,
      type: 'array',
      items: this.#type(type),
      ...listType(field),
      ...patchStrategy(field),
    }
  }

  #choices({ name }: Message, field: Field): Schema {
    const texts = this.#dialect.tellsChoices ? enumOf(name, field.name) : undefined
    const value = this.#dialect.tellsChoices ? defaultOf(name, field.name) : undefined
    return {
      ...(texts === undefined ? {} : { enum: texts }),
      ...(value === undefined ? {} : { default: value }),
    }
  }

  #type(type: FieldType): Schema {
    return typeof type === 'string' ? this.#dialect.scalars[type] : this.#ref(type.message())
  }

  #ref(message: Message): Schema {
    const name = messageName(message)
    if (!this.byName.has(name)) {
      // Held before it is made, because schemas may contain themselves.
      this.byName.set(name, {})
      this.byName.set(name, this.#messageSchema(message))
    }
    return { $ref: this.#dialect.refPrefix + name }
  }
}

const metaMessage = (name: string): Message => {
  const message = findMessage('meta/v1', name)
  if (message === undefined) throw new Error(`no message ${name} in ${[...allMessages()].length}`)
  return message
}

const gvkOf = ({ group, version }: DescribedKind, kind: string): { [key: string]: Json } => ({
  group,
  kind,
  version,
})

const listType = ({ merge }: Field): Schema => {
  if (merge === undefined || !merge.byOwner) return { 'x-kubernetes-list-type': 'atomic' }
  return merge.keys.length === 0
    ? { 'x-kubernetes-list-type': 'set' }
    : { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': merge.keys }
}

const patchStrategy = ({ merge, retainsKeys }: Field): Schema => {
  const strategies = [
    ...(merge?.byPatch === true ? ['merge'] : []),
    ...(retainsKeys ? ['retainKeys'] : []),
  ]
  if (strategies.length === 0) return {}
  const [key] = merge?.keys ?? []
  return {
    ...(key === undefined ? {} : { 'x-kubernetes-patch-merge-key': key }),
    'x-kubernetes-patch-strategy': strategies.join(','),
  }
}

/** The path of one object of a kind. */
export const objectPath = (
  type: Pick<ResourceType, 'group' | 'version' | 'plural' | 'namespaced'>,
): string => {
  const root = type.group === '' ? 'api' : 'apis'
  const place = type.namespaced ? 'namespaces/{namespace}/' : ''
  return `/${root}/${groupVersion(type)}/${place}${type.plural}/{name}`
}

/** The parameters of a patch that clients look for. */
export const patchParameters: readonly { readonly name: string; readonly type: string }[] = [
  { name: 'dryRun', type: 'string' },
  { name: 'fieldManager', type: 'string' },
  { name: 'fieldValidation', type: 'string' },
  { name: 'force', type: 'boolean' },
]
