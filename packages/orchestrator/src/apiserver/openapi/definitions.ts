// The schemas of the API as OpenAPI describes them, made from the same tables that decode objects: one definition a message, by the
// names that upstream gives them.
import type { Json, ResourceType } from '../../resources/object.ts'
import { descriptionOf } from '../../resources/schema/descriptions.ts'
import { defaultOf, enumOf } from '../../resources/schema/enums.ts'
import {
  allMessages,
  type Field,
  findMessage,
  type Message,
  messageOfKind,
} from '../../resources/schema/messages.ts'
import { isOpen, schemaV2 } from './schema-v2.ts'
import { type Schema, scalarSchema, type Version } from './scalar-schemas.ts'

/** What OpenAPI needs to know of a served kind. */
export type DescribedKind = Pick<ResourceType, 'group' | 'version' | 'kind' | 'openApiSchema'>

export interface Gvk {
  readonly group: string
  readonly version: string
  readonly kind: string
}

/** How a version of OpenAPI writes references, choices and defaults. */
export interface Dialect {
  readonly version: Version
  readonly refPrefix: string
}

export const dialectV2: Dialect = { version: 'v2', refPrefix: '#/definitions/' }
export const dialectV3: Dialect = { version: 'v3', refPrefix: '#/components/schemas/' }

const text: Schema = { type: 'string' }

/** Definitions of `kinds`, of their lists and of all they are made of, by name. */
export const definitionsOf = (
  kinds: readonly DescribedKind[],
  dialect: Dialect,
): Map<string, Schema> => {
  const definitions = new Definitions(dialect)
  for (const kind of kinds) definitions.addKind(kind)
  for (const name of sentAround) definitions.addMeta(name)
  return definitions.byName
}

/** What operations of every kind take and answer. */
const sentAround = ['DeleteOptions', 'Patch', 'Status', 'WatchEvent'] as const

export const metaDefinitionName = (name: (typeof sentAround)[number]): string =>
  messageName(metaMessage(name))

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
      this.byName.set(name, {
        ...this.#customSchema(kind.openApiSchema ?? { type: 'object' }),
        'x-kubernetes-group-version-kind': gvk,
      })
    }
    if (message?.byName.get('metadata') === undefined && message !== undefined) return
    this.byName.set(`${name}List`, {
      type: 'object',
      description: `A list of objects of the kind ${kind.kind}.`,
      required: ['items'],
      properties: {
        ...this.#head('ListMeta'),
        items: { type: 'array', items: this.#with(this.#refTo(name), this.#default({})) },
      },
      'x-kubernetes-group-version-kind': [gvkOf(kind, `${kind.kind}List`)],
    })
  }

  /** Clients of v2 take every field that is not described for a mistake, and a null for one too. */
  #customSchema(schema: Schema): Schema {
    const isV2 = this.#dialect.version === 'v2'
    if (isV2 && isOpen(schema)) return { type: 'object' }
    const { properties, ...rest } = isV2 ? schemaV2(schema) : schema
    const own = this.#head('ObjectMeta')
    return { ...rest, properties: { ...(properties as Schema | undefined), ...own } }
  }

  addMeta(name: string): void {
    this.#ref(metaMessage(name))
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
    const { shape, type, isAtomic, isPointer, always, required } = field
    const description = descriptionOf(message.name, field.name)
    const about = description === undefined ? {} : { description }
    if (shape === 'one') {
      const isSet = always || (required && typeof type === 'string' && !isPointer)
      const extensions = { ...about, ...this.#choices(message, field), ...patchStrategy(field) }
      return this.#with(this.#type(message, field, isSet), extensions)
    }
    const element = this.#type(message, field, true)
    if (shape === 'map') {
      return {
        ...about,
        type: 'object',
        additionalProperties: element,
        ...(isAtomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
      }
    }
    return { ...about, type: 'array', items: element, ...listType(field), ...patchStrategy(field) }
  }

  /** The fields that every object begins with. */
  #head(metadata: string): Schema {
    const about = (field: string): Schema => ({ description: descriptionOf(metadata, field) })
    return {
      apiVersion: { ...text, ...about('apiVersion') },
      kind: { ...text, ...about('kind') },
      metadata: this.#with(this.#ref(metaMessage(metadata)), {
        ...about('metadata'),
        ...this.#default({}),
      }),
    }
  }

  /** In v3 a reference stands alone: what is beside it would not be read. v2 has it beside, as upstream's does. */
  #with(schema: Schema, extensions: Schema): Schema {
    return '$ref' in schema && this.#isV3 && Object.keys(extensions).length > 0
      ? { allOf: [schema], ...extensions }
      : { ...schema, ...extensions }
  }

  get #isV3(): boolean {
    return this.#dialect.version === 'v3'
  }

  /** Upstream leaves defaults, and enums, out of v2. */
  #default(value: Json | undefined): Schema {
    return this.#isV3 && value !== undefined ? { default: value } : {}
  }

  #choices({ name }: Message, field: Field): Schema {
    const texts = this.#isV3 ? enumOf(name, field.name) : undefined
    return {
      ...(texts === undefined ? {} : { enum: texts }),
      ...this.#default(defaultOf(name, field.name)),
    }
  }

  /** `isSet`: the value is there where a client leaves it out. */
  #type(message: Message, field: Field, isSet: boolean): Schema {
    if (typeof field.type !== 'string') {
      return this.#with(this.#ref(field.type.message()), this.#default(isSet ? {} : undefined))
    }
    const { name, schema, zero } = scalarSchema(this.#dialect.version, field.type, message, field)
    if (name === undefined) return { ...schema, ...this.#default(isSet ? zero : undefined) }
    this.byName.set(name, schema)
    return this.#refTo(name)
  }

  #refTo(name: string): Schema {
    return { $ref: this.#dialect.refPrefix + name }
  }

  #ref(message: Message): Schema {
    const name = messageName(message)
    if (!this.byName.has(name)) {
      // Held before it is made, because schemas may contain themselves.
      this.byName.set(name, {})
      this.byName.set(name, this.#messageSchema(message))
    }
    return this.#refTo(name)
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
