// What can be done at which path, as OpenAPI describes it: the operations of every kind and of its subresources, with the names, actions
// and parameters that upstream gives them.
import type { Json, ResourceType } from '../../resources/object.ts'
import { groupVersion } from '../registry/decode.ts'
import { type Subresource, subresourcesOf } from '../subresources/subresource-table.ts'
import { definitionName, type DescribedKind, metaDefinitionName } from './definitions.ts'
import type { Schema, Version } from './scalar-schemas.ts'

/** What is told of a served kind. */
export interface OperatedKind extends DescribedKind, Pick<ResourceType, 'plural' | 'verbs'> {
  readonly namespaced?: boolean
  readonly subresources: { readonly status?: unknown; readonly scale?: unknown }
}

interface Parameter {
  readonly name: string
  readonly type: 'string' | 'integer' | 'boolean'
}

const texts = (...names: readonly string[]): Parameter[] =>
  names.map((name) => ({ name, type: 'string' }))
const flags = (...names: readonly string[]): Parameter[] =>
  names.map((name) => ({ name, type: 'boolean' }))
const numbers = (...names: readonly string[]): Parameter[] =>
  names.map((name) => ({ name, type: 'integer' }))

const writeParameters = texts('dryRun', 'fieldManager', 'fieldValidation')
const deleteParameters = [
  ...texts('dryRun', 'propagationPolicy'),
  ...numbers('gracePeriodSeconds'),
  ...flags('orphanDependents', 'ignoreStoreReadErrorWithClusterBreakingPotential'),
]
const listParameters = [
  ...texts('continue', 'fieldSelector', 'labelSelector', 'resourceVersion', 'resourceVersionMatch'),
  ...numbers('limit', 'timeoutSeconds'),
  ...flags('allowWatchBookmarks', 'sendInitialEvents', 'watch'),
]
/** Those of a patch, which clients look for. */
export const patchParameters: readonly Parameter[] = [...writeParameters, ...flags('force')]

interface Action {
  /** What Kubernetes calls it, and how the operation's name begins. */
  readonly action: string
  readonly word: string
  readonly method: 'get' | 'put' | 'post' | 'delete' | 'patch'
  readonly parameters: readonly Parameter[]
  /** What is sent: an object of the kind, options, a patch. */
  readonly body?: 'own' | 'DeleteOptions' | 'Patch'
  /** What comes back: an object, a list, a Status. */
  readonly answer: 'own' | 'list' | 'Status'
}

const read: Action = { action: 'get', word: 'read', method: 'get', parameters: [], answer: 'own' }
const replace: Action = {
  action: 'put',
  word: 'replace',
  method: 'put',
  parameters: writeParameters,
  body: 'own',
  answer: 'own',
}
const patch: Action = {
  action: 'patch',
  word: 'patch',
  method: 'patch',
  parameters: patchParameters,
  body: 'Patch',
  answer: 'own',
}
const create: Action = {
  action: 'post',
  word: 'create',
  method: 'post',
  parameters: writeParameters,
  body: 'own',
  answer: 'own',
}
const remove: Action = {
  action: 'delete',
  word: 'delete',
  method: 'delete',
  parameters: deleteParameters,
  body: 'DeleteOptions',
  answer: 'Status',
}
const list: Action = {
  action: 'list',
  word: 'list',
  method: 'get',
  parameters: listParameters,
  answer: 'list',
}
const removeAll: Action = {
  action: 'deletecollection',
  word: 'delete',
  method: 'delete',
  parameters: [...deleteParameters, ...listParameters],
  body: 'DeleteOptions',
  answer: 'Status',
}

const ofCollection: Readonly<Record<string, Action>> = {
  list,
  create,
  deletecollection: removeAll,
}
const ofObject: Readonly<Record<string, Action>> = {
  get: read,
  update: replace,
  patch,
  delete: remove,
}
const ofSubresource: Readonly<Record<string, Action>> = { ...ofObject, create }

/** The same request where what follows is a stream or somebody else's answer: named by its method. */
const connect = ({ method }: Action): Action => ({
  action: 'connect',
  word: 'connect',
  method,
  parameters: [],
  answer: 'own',
})

/** The path of one object of a kind. */
export const objectPath = (
  type: Pick<OperatedKind, 'group' | 'version' | 'plural' | 'namespaced'>,
): string => `${collectionPath(type, type.namespaced === true)}/{name}`

const collectionPath = (
  type: Pick<OperatedKind, 'group' | 'version' | 'plural'>,
  isScoped: boolean,
): string => {
  const root = type.group === '' ? 'api' : 'apis'
  const place = isScoped ? 'namespaces/{namespace}/' : ''
  return `/${root}/${groupVersion(type)}/${place}${type.plural}`
}

/** All paths of `types`, each with its operations. */
export const pathsOf = (types: readonly OperatedKind[], version: Version): Record<string, Json> => {
  const paths: Record<string, Json> = {}
  for (const type of types) addPaths(paths, type, version)
  return paths
}

const addPaths = (paths: Record<string, Json>, type: OperatedKind, version: Version): void => {
  const { namespaced = false, kind, verbs } = type
  const scope = namespaced ? 'Namespaced' : ''
  const add = (path: string, actions: readonly Action[], subject: Subject): void => {
    const operations = actions.map((action) => [action.method, operation(action, subject, version)])
    if (operations.length > 0)
      paths[path] = {
        parameters: pathParameters(path, version),
        ...(Object.fromEntries(operations) as Record<string, Json>),
      }
  }
  const own: Subject = { type, name: `${scope}${kind}`, kind: type }
  const served = (all: Readonly<Record<string, Action>>, asked: readonly string[]): Action[] =>
    Object.entries(all).flatMap(([verb, action]) => (asked.includes(verb) ? [action] : []))
  add(collectionPath(type, namespaced), served(ofCollection, verbs), own)
  add(objectPath(type), served(ofObject, verbs), own)
  if (namespaced && verbs.includes('list'))
    add(collectionPath(type, false), [list], { ...own, name: `${kind}ForAllNamespaces` })
  for (const each of subresourcesOf(type)) {
    const isStream = each.kind.kind.endsWith('Options')
    add(
      `${objectPath(type)}/${each.name}`,
      served(ofSubresource, each.verbs).map((action) => (isStream ? connect(action) : action)),
      { type, name: `${scope}${kind}${capital(each.name)}`, kind: each.kind },
    )
  }
}

interface Subject {
  readonly type: OperatedKind
  /** In the name of the operation. */
  readonly name: string
  readonly kind: Subresource['kind']
}

const operation = (action: Action, subject: Subject, version: Version): Json => {
  const { type, name, kind } = subject
  const { word, method, parameters, body, answer } = action
  const group = groupWord(type)
  const place =
    action.action === 'deletecollection'
      ? 'Collection'
      : word === 'connect'
        ? capital(action.method)
        : ''
  const sent = body === undefined ? undefined : schemaOf(body, subject, version)
  const content = { schema: schemaOf(answer, subject, version) }
  return {
    operationId: `${word}${group}${capital(type.version)}${place}${name}`,
    tags: [`${lower(group)}_${type.version}`],
    ...(version === 'v2'
      ? { consumes: consumed(method), produces: ['application/json', 'application/yaml'] }
      : {}),
    parameters: [
      ...(version === 'v2' && sent !== undefined
        ? [{ name: 'body', in: 'body', required: body !== 'DeleteOptions', schema: sent }]
        : []),
      ...parameters.map((each) => queryParameter(each, version)),
    ] as Json,
    ...(version === 'v3' && sent !== undefined
      ? {
          requestBody: {
            content: Object.fromEntries(consumed(method).map((one) => [one, { schema: sent }])),
          } as Json,
        }
      : {}),
    responses: {
      200: {
        description: 'OK',
        ...(version === 'v2' ? content : { content: { 'application/json': content } }),
      },
    } as Json,
    'x-kubernetes-action': action.action,
    'x-kubernetes-group-version-kind': {
      group: kind.group,
      kind: kind.kind,
      version: kind.version,
    },
  }
}

/** Schemas of subresources that are of another kind than their parent are left open: they are in other documents. */
const schemaOf = (
  what: NonNullable<Action['body']> | Action['answer'],
  { type, kind }: Subject,
  version: Version,
): Schema => {
  const prefix = version === 'v2' ? '#/definitions/' : '#/components/schemas/'
  if (what !== 'own' && what !== 'list') return { $ref: prefix + metaDefinitionName(what) }
  if (kind.kind !== type.kind || kind.group !== type.group) return { type: 'object' }
  return { $ref: `${prefix}${definitionName(type)}${what === 'list' ? 'List' : ''}` }
}

const consumed = (method: Action['method']): readonly string[] =>
  method === 'patch'
    ? ['json-patch', 'merge-patch', 'strategic-merge-patch']
        .map((one) => `application/${one}+json`)
        .concat('application/apply-patch+yaml')
    : ['*/*']

const queryParameter = ({ name, type }: Parameter, version: Version): Json => ({
  name,
  in: 'query',
  ...(version === 'v2' ? { type, uniqueItems: true } : { schema: { type, uniqueItems: true } }),
})

const pathParameters = (path: string, version: Version): Json =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    ...(version === 'v2'
      ? { type: 'string', uniqueItems: true }
      : { schema: { type: 'string', uniqueItems: true } }),
  }))

/** `Core`, `Apps`, `RbacAuthorization`; groups of others whole: `StableExampleCom`. */
const groupWord = ({ group }: Pick<OperatedKind, 'group'>): string =>
  group === ''
    ? 'Core'
    : group
        .replace(/\.k8s\.io$/, '')
        .split(/[.-]/)
        .map(capital)
        .join('')

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)
const lower = (word: string): string => word.charAt(0).toLowerCase() + word.slice(1)
