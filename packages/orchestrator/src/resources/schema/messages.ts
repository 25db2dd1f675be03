// The messages of the Kubernetes API, made from the tables beside it: the one source of what decodes JSON and protobuf, merges patches,
// tracks owners of fields and answers OpenAPI. Tables are one message a paragraph, `number:name:type` a field. After the name of a
// field: `!` Go always writes it (absent means its zero value), `+` OpenAPI requires it, `*` a pointer, whose zero value is not the same
// as none. Before its type: [] a list, {} a map with text keys; `number:^Message` stands for the fields of that message. After it:
// `@key` merged by strategic merge patch and apply, `%key` by apply alone, `^key` by strategic merge patch alone (without key: a set),
// `&` a patch may retain keys, `~` has one owner. `Message~` has one owner too. Fields without a number are never sent as protobuf.
// Names are looked up in the package of the message, then in core/v1 and meta/v1.
import { tables } from './tables/index.ts'

export type ScalarType =
  | 'string'
  | 'bool'
  | 'int32'
  | 'int64'
  | 'double'
  | 'intOrString'
  | 'quantity'
  | 'bytes'
  | 'time'
  | 'microTime'
  | 'strings'
  | 'json'
  | 'raw'
export type FieldType = ScalarType | { readonly name: string; message(): Message }

/** How elements of a list are told apart when two versions of it are merged. No keys: the elements themselves are the set. */
export interface ListMerge {
  readonly keys: readonly string[]
  /** Strategic merge patches merge by the first key. */
  readonly byPatch: boolean
  /** Server-side apply tracks owners of single elements. */
  readonly byOwner: boolean
}
export interface Field {
  readonly name: string
  /** Of the protobuf encoding; 0: none. */
  readonly number: number
  readonly shape: 'one' | 'list' | 'map'
  readonly type: FieldType
  /** Go always writes it: absent means its zero value. */
  readonly always: boolean
  readonly required: boolean
  /** Zero values count as set. */
  readonly isPointer: boolean
  /** undefined: lists are replaced whole. */
  readonly merge: ListMerge | undefined
  readonly retainsKeys: boolean
  /** A map that has one owner. */
  readonly isAtomic: boolean
}
export interface Message {
  /** Without its package: `Container`. */
  readonly name: string
  /** e.g. `core/v1`. */
  readonly packageName: string
  /** Those of inlined messages among them. */
  readonly fields: readonly Field[]
  readonly byName: ReadonlyMap<string, Field>
  /** Those that are always there. */
  readonly always: readonly Field[]
  /** As the protobuf encoding has them: inlined messages stay messages. */
  readonly byNumber: ReadonlyMap<number, Field | Message>
  readonly isAtomic: boolean
}

/** The message `name` of a package such as `apps/v1`. */
export const findMessage = (packageName: string, name: string): Message | undefined =>
  packages.get(packageName)?.find(name)

/** The message of a kind. Versions that have no package of their own (v1beta1, v2beta2) are read as the version they led to. */
export const messageOfKind = (type: {
  readonly group: string
  readonly version: string
  readonly kind: string
}): Message | undefined => {
  const [group = ''] = type.group.split('.')
  const name = group === '' ? 'core' : group
  return (
    findMessage(`${name}/${type.version}`, type.kind) ??
    findMessage(`${name}/${type.version.replace(/(alpha|beta)\d+$/, '')}`, type.kind) ??
    findMessage('meta/v1', type.kind)
  )
}

/** Every message of every table, for those who check or describe them all. */
export function* allMessages(): Generator<Message> {
  for (const messages of packages.values()) yield* messages.all()
}

/** The type as Go's messages name it. */
export const goTypeName = (type: FieldType): string => {
  if (typeof type === 'string') return goScalarNames[type]
  const { name, packageName } = type.message()
  return `${packageName.slice(packageName.indexOf('/') + 1)}.${name}`
}

const goScalarNames: Readonly<Record<ScalarType, string>> = {
  string: 'string',
  bool: 'bool',
  int32: 'int32',
  int64: 'int64',
  double: 'float64',
  intOrString: 'intstr.IntOrString',
  quantity: 'resource.Quantity',
  bytes: '[]uint8',
  time: 'v1.Time',
  microTime: 'v1.MicroTime',
  strings: '[]string',
  json: 'v1.FieldsV1',
  raw: 'runtime.RawExtension',
}

const isScalar = (name: string): name is ScalarType => Object.hasOwn(goScalarNames, name)

/** The messages of one table. Each is parsed when it is first asked for: a cluster uses few of them. */
class Package {
  readonly #name: string
  readonly #paragraphs: ReadonlyMap<string, string>
  readonly #messages = new Map<string, Message>()

  constructor(name: string, table: string) {
    this.#name = name
    this.#paragraphs = new Map(
      table
        .trim()
        .split(/\n(?! )/)
        .map((paragraph) => [/^\w+/.exec(paragraph)?.[0] ?? '', paragraph]),
    )
  }

  find(name: string): Message | undefined {
    const known = this.#messages.get(name)
    const paragraph = this.#paragraphs.get(name)
    if (known !== undefined || paragraph === undefined) return known
    const message = this.#parse(name, paragraph)
    this.#messages.set(name, message)
    return message
  }

  *all(): Generator<Message> {
    for (const name of this.#paragraphs.keys()) {
      const message = this.find(name)
      if (message !== undefined) yield message
    }
  }

  #parse(name: string, paragraph: string): Message {
    const [head = '', ...texts] = paragraph.split(/\s+/)
    const fields: Field[] = []
    const byNumber = new Map<number, Field | Message>()
    for (const text of texts) {
      const [, inlineNumber, inlineName] = /^(\d+):\^(\w+)$/.exec(text) ?? []
      if (inlineName !== undefined) {
        const inlined = this.#resolve(inlineName)
        fields.push(...inlined.fields)
        byNumber.set(Number(inlineNumber), inlined)
        continue
      }
      const field = this.#parseField(text)
      fields.push(field)
      if (field.number > 0) byNumber.set(field.number, field)
    }
    return {
      name,
      packageName: this.#name,
      fields,
      byName: new Map(fields.map((field) => [field.name, field])),
      always: fields.filter((field) => field.always),
      byNumber,
      isAtomic: head.endsWith('~'),
    }
  }

  #parseField(text: string): Field {
    const [, number = '0', name = '', flags = '', prefix, type = '', marks = ''] =
      /^(?:(\d+):)?([\w$-]+)([!+*]*):(\[\]|\{\})?([\w/.]+)(.*)$/.exec(text) ?? []
    return {
      name,
      number: Number(number),
      shape: prefix === '[]' ? 'list' : prefix === '{}' ? 'map' : 'one',
      type: isScalar(type) ? type : { name: type, message: () => this.#resolve(type) },
      always: flags.includes('!'),
      required: flags.includes('+'),
      isPointer: flags.includes('*'),
      merge: parseMerge(marks),
      retainsKeys: marks.includes('&'),
      isAtomic: marks.includes('~'),
    }
  }

  /** messages.test.ts checks that every name the tables use is in them. */
  #resolve(name: string): Message {
    const dot = name.lastIndexOf('.')
    if (dot >= 0) return findMessage(name.slice(0, dot), name.slice(dot + 1)) ?? noMessage
    return (
      this.find(name) ?? findMessage('core/v1', name) ?? findMessage('meta/v1', name) ?? noMessage
    )
  }
}

const parseMerge = (marks: string): ListMerge | undefined => {
  const [, mark, keys = ''] = /([@%^])([\w,]*)/.exec(marks) ?? []
  if (mark === undefined) return undefined
  return {
    keys: keys === '' ? [] : keys.split(','),
    byPatch: mark !== '%',
    byOwner: mark !== '^',
  }
}

const noMessage: Message = {
  name: '',
  packageName: '',
  fields: [],
  byName: new Map(),
  always: [],
  byNumber: new Map(),
  isAtomic: false,
}

const packages: ReadonlyMap<string, Package> = new Map(
  Object.entries(tables).map(([name, table]) => [name, new Package(name, table)]),
)
