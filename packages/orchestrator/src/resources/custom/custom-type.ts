// From a version of a CustomResourceDefinition to a kind that the generic registry serves like any other.
import { ageColumn, nameColumn } from '../columns.ts'
import { ageOf } from '../human-duration.ts'
import { jsonEqual } from '../json-equal.ts'
import { dns1123SubdomainProblems } from '../names.ts'
import type { Cell, Column, FieldError, Json, KubeObject, ResourceType } from '../object.ts'
import { type Decoded, decodeMetadata } from '../schema/decode-object.ts'
import { servedAs } from '../served-version.ts'
import { allVerbs, keepStatus, withFirstGeneration, withGeneration } from '../update-rules.ts'
import { validateMetadata, validateMetadataUpdate } from '../validation/validate-metadata.ts'
import type {
  CustomNames,
  CustomResourceDefinition,
  CustomVersion,
} from './custom-resource-definition.ts'
import { type JsonPath, parseJsonPath, valuesAt, withValueAt } from './json-path.ts'
import { isJsonObject, type JsonSchema } from './json-schema.ts'
import { prune, withDefaults } from './prune.ts'
import { validateValue } from './validate-value.ts'

/** Checks what a schema's rules say of an object; undefined `old`: it is new. */
export type RuleCheck = (object: Json, old: Json | undefined) => readonly FieldError[]

/** What a schema's x-kubernetes-validations are compiled by. */
export type RuleCompiler = (schema: JsonSchema) => RuleCheck

/** Of a schema without rules. */
export const noRules: RuleCheck = () => []

/** Rules are written for values that have the types of the schema. */
const isBlocking = ({ reason, message }: FieldError): boolean =>
  reason === 'FieldValueRequired' ||
  reason === 'FieldValueTooLong' ||
  message.includes('in body must be of type')

const uncheckedRules: FieldError = {
  reason: 'FieldValueInvalid',
  field: '<nil>',
  message:
    'Invalid value: "": some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
}

/** The types to serve for a definition, that of the stored version first. */
export const customTypes = (
  definition: CustomResourceDefinition,
  compile: RuleCompiler,
): readonly ResourceType[] => {
  const { versions } = definition.spec
  const stored = versions.find((version) => version.storage)
  if (stored === undefined) return []
  const storage = customType(definition, stored, compile)
  const others = versions.filter((version) => version.served && version !== stored)
  return [
    ...(stored.served ? [storage] : []),
    ...others.map((version) => ({
      ...customType(definition, version, compile),
      ...pickStorage(servedAs(storage, { version: version.name })),
    })),
  ]
}

const pickStorage = ({ storage }: ResourceType): Pick<ResourceType, 'storage'> =>
  storage === undefined ? {} : { storage }

const customType = (
  { spec }: CustomResourceDefinition,
  version: CustomVersion,
  compile: RuleCompiler,
): ResourceType => {
  const { group, names } = spec
  const schema = version.schema?.openAPIV3Schema ?? {}
  const hasStatus = version.subresources?.status !== undefined
  const checkRules = compile(schema)
  const columns = printerColumns(version)
  const scale = scaleOf(version)
  const selectable = (version.selectableFields ?? []).flatMap(({ jsonPath }) => {
    const path = parseJsonPath(jsonPath)
    return path === undefined ? [] : [{ name: jsonPath.replace(/^\./, ''), path }]
  })
  const asJson = (object: KubeObject): Json => object as unknown as Json
  const checked = (object: KubeObject, old: Json | undefined): readonly FieldError[] => {
    const problems = validateValue(schema, asJson(object), '', old)
    if (!problems.some(isBlocking)) return [...problems, ...checkRules(asJson(object), old)]
    return checkRules === noRules ? problems : [...problems, uncheckedRules]
  }
  return {
    group,
    version: version.name,
    kind: names.kind,
    plural: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    namespaced: spec.scope === 'Namespaced',
    verbs: allVerbs,
    subresources: {
      ...(hasStatus ? { status: true } : {}),
      ...(scale === undefined ? {} : { scale }),
    },
    custom: {
      schema,
      ...(version.deprecated === true
        ? { deprecationWarning: version.deprecationWarning ?? deprecation(group, version, names) }
        : {}),
    },
    // A schema is JSON; its type does not say so.
    openApiSchema: schema as unknown as NonNullable<ResourceType['openApiSchema']>,
    decode: (value) =>
      decodeCustom({ group, version: version.name, kind: names.kind }, schema, value),
    defaults: (object) => withDefaults(schema, asJson(object)) as unknown as KubeObject,
    prepareForCreate: (object) => withFirstGeneration(hasStatus ? withoutStatus(object) : object),
    prepareForUpdate: (object, old) => prepareUpdate(object, old, hasStatus),
    validate: (object) => validateMetadata(object.metadata, dns1123SubdomainProblems, 'any'),
    validateCreate: (object) => checked(object, undefined),
    validateUpdate: (object, old) => [
      ...validateMetadataUpdate(object.metadata, old.metadata),
      ...checked(object, asJson(old)),
    ],
    columns: columns.map(({ column }) => column),
    cells: (object, now) => columns.map(({ cell }) => cell(object, now)),
    ...(selectable.length === 0
      ? {}
      : {
          selectableFields: (object): Readonly<Record<string, string>> =>
            Object.fromEntries(
              selectable.map(({ name, path }) => [name, textOf(valuesAt(asJson(object), path)[0])]),
            ),
        }),
  }
}

const deprecation = (group: string, { name }: CustomVersion, { kind }: CustomNames): string =>
  `${group}/${name} ${kind} is deprecated`

const decodeCustom = (
  type: { readonly group: string; readonly version: string; readonly kind: string },
  schema: JsonSchema,
  value: Json,
): Decoded<KubeObject> => {
  const metadata = decodeMetadata(type, value)
  if (!metadata.ok || !isJsonObject(value)) return metadata
  const pruned = prune(schema, value)
  const members = isJsonObject(pruned.value) ? pruned.value : {}
  return {
    ok: true,
    object: { ...members, ...metadata.object },
    unknownFields: [
      ...metadata.unknownFields.filter((path) => path.startsWith('metadata.')),
      ...pruned.unknownFields,
    ],
  }
}

type Members = { readonly [key: string]: unknown }

const withoutStatus = (object: KubeObject): KubeObject => {
  const { status: _sent, ...rest } = object as KubeObject & { readonly status?: unknown }
  return rest
}

/** Everything but metadata and status is what the user wishes. */
const wishes = (object: KubeObject, hasStatus: boolean): Members => {
  const {
    metadata: _metadata,
    status,
    ...rest
  } = object as KubeObject & { readonly status?: unknown }
  return hasStatus ? rest : { ...rest, status }
}

const prepareUpdate = (object: KubeObject, old: KubeObject, hasStatus: boolean): KubeObject => {
  const kept = hasStatus ? keepStatus(object, old) : object
  return withGeneration(kept, old, !jsonEqual(wishes(kept, hasStatus), wishes(old, hasStatus)))
}

interface PrintedColumn {
  readonly column: Column
  readonly cell: (object: KubeObject, now: number) => Cell
}

const namePrinted: PrintedColumn = {
  column: nameColumn,
  cell: ({ metadata }) => metadata.name ?? '',
}
const agePrinted: PrintedColumn = {
  column: ageColumn,
  cell: ({ metadata }, now) => ageOf(metadata.creationTimestamp, now),
}
const columnTypes = new Set(['string', 'integer', 'date', 'number', 'boolean'])
const isColumnType = (type: string): type is Column['type'] => columnTypes.has(type)

const printerColumns = (version: CustomVersion): readonly PrintedColumn[] => {
  const own = (version.additionalPrinterColumns ?? []).flatMap((printed): PrintedColumn[] => {
    const { name, type, format, description = '', priority = 0 } = printed
    const path = parseJsonPath(printed.jsonPath)
    if (path === undefined || !isColumnType(type)) return []
    const column: Column = {
      name,
      type,
      description,
      priority,
      ...(format === undefined ? {} : { format }),
    }
    return [{ column, cell: (object, now) => printedCell(object, { path, type, now }) }]
  })
  return version.additionalPrinterColumns === undefined
    ? [namePrinted, agePrinted]
    : [namePrinted, ...own]
}

const printedCell = (
  object: KubeObject,
  { path, type, now }: { readonly path: JsonPath; readonly type: string; readonly now: number },
): Cell => {
  const values = valuesAt(object as unknown as Json, path)
  const [value] = values
  if (value === undefined || value === null) return null
  switch (type) {
    case 'date':
      return typeof value === 'string' ? ageOf(value, now) : '<invalid>'
    case 'integer':
    case 'number':
      return typeof value === 'number' ? value : null
    case 'boolean':
      return typeof value === 'boolean' ? value : null
    default:
      return values.map(textOf).join(',')
  }
}

const textOf = (value: Json | undefined): string => {
  if (value === undefined || value === null) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

const scaleOf = (version: CustomVersion): ResourceType['subresources']['scale'] => {
  const { scale } = version.subresources ?? {}
  const spec = scale && parseJsonPath(scale.specReplicasPath)
  const status = scale && parseJsonPath(scale.statusReplicasPath)
  if (spec === undefined || status === undefined) return undefined
  const selector = parseJsonPath(scale?.labelSelectorPath ?? '') ?? []
  const numberAt = (object: KubeObject, path: JsonPath): number => {
    const [value] = valuesAt(object as unknown as Json, path)
    return typeof value === 'number' ? value : 0
  }
  return {
    get: (object) => ({
      specReplicas: numberAt(object, spec),
      statusReplicas: numberAt(object, status),
      selector:
        selector.length === 0 ? '' : textOf(valuesAt(object as unknown as Json, selector)[0]),
    }),
    set: (object, replicas) =>
      withValueAt(object as unknown as Json, spec, replicas) as unknown as KubeObject,
  }
}
