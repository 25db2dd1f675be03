// `balsa apply`: creates what is missing and changes what differs, three-way with the manifest applied before, as kubectl does on the
// client side; both can be used on the same object.
import type { Command } from 'commander'
import { ApiError } from '../client/api-client.ts'
import { collectionPath, objectPath } from '../client/http-api-client.ts'
import { createApplyPatch, mergeKeysOf, resourceTypes } from '../resources/index.ts'
import type { Json, KubeObject } from '../resources/object.ts'
import { ApiSession } from './api-session.ts'
import {
  type DryRun,
  dryRunQuery,
  type NewObjectOptions,
  withNewObject,
} from './create/new-object.ts'
import { findKind } from './discovery.ts'
import type { ServedResource } from './discovery.ts'
import { readManifests } from './manifest-files.ts'
import type { Manifest } from '../client/parse-manifests.ts'
import { outputForm, printResult } from './print/output-form.ts'
import { sortedJson } from './sorted-json.ts'
import { reportFailure, runVerb } from './verb-failure.ts'

type JsonObject = { readonly [key: string]: Json | undefined }
interface ApplyOptions extends NewObjectOptions {
  readonly filename?: readonly string[]
  readonly serverSide?: boolean
  readonly forceConflicts?: boolean
}
interface Applied {
  readonly object: KubeObject
  readonly done: string
}

/** The annotation that remembers the manifest. */
export const lastAppliedKey = 'kubectl.kubernetes.io/last-applied-configuration'
const fieldManagerDefault = 'balsa-apply'

export const registerApplyCommand = (
  program: Command,
  withSession: (command: Command) => Command,
): void => {
  withNewObject(withSession(program.command('apply')))
    .description('create or change objects so that they are as the manifests say')
    .option('-f, --filename <path...>', 'manifests: files, folders, or - for stdin')
    .option('--server-side', 'let the server merge, who accounts for who owns which field')
    .option('--force-conflicts', 'with --server-side: take fields that others own')
    .action((options: ApplyOptions) => runVerb(() => apply(options)))
}

const apply = async (options: ApplyOptions): Promise<void> => {
  if (options.filename === undefined) throw new Error('must specify one of -f and -k')
  outputForm(options, false)
  const manifests = readManifests(options.filename)
  using session = new ApiSession(options)
  const served = await session.served()
  for (const manifest of manifests) {
    try {
      const { resource, object } = placed(manifest, { session, served, asked: options.namespace })
      const one = { source: manifest.source, object }
      const applied =
        options.serverSide === true
          ? await applyOnServer(session, resource, { ...one, options })
          : await applyOne(session, resource, { ...one, ...options })
      printResult({ resource, ...applied }, options)
    } catch (reason) {
      reportFailure(reason)
    }
  }
}

/** The manifest with its namespace filled in, and the resource it belongs to. Throws Error where it fits none. */
export const placed = (
  manifest: Manifest,
  context: {
    readonly session: ApiSession
    readonly served: readonly ServedResource[]
    /** -n, when it was given. */
    readonly asked: string | undefined
  },
): { resource: ServedResource; object: KubeObject } => {
  const { object, source } = manifest
  const { apiVersion, kind, metadata } = object
  const resource = findKind(context.served, apiVersion, kind)
  if (resource === undefined) {
    throw new Error(
      `resource mapping not found for name: ${JSON.stringify(metadata.name ?? '')} namespace: ${JSON.stringify(metadata.namespace ?? '')} from ${JSON.stringify(source)}: no matches for kind ${JSON.stringify(kind)} in version ${JSON.stringify(apiVersion)}`,
    )
  }
  if (!resource.namespaced) return { resource, object }
  const own = metadata.namespace
  if (own !== undefined && context.asked !== undefined && own !== context.asked) {
    throw new Error(
      `the namespace from the provided object ${JSON.stringify(own)} does not match the namespace ${JSON.stringify(context.asked)}. You must pass '--namespace=${own}' to perform this operation.`,
    )
  }
  const namespace = own ?? context.session.namespace
  return { resource, object: { ...object, metadata: { ...metadata, namespace } } }
}

/** What an apply would lead to. */
export const triedApply = async (
  session: ApiSession,
  resource: ServedResource,
  manifest: { readonly source: string; readonly object: KubeObject },
): Promise<KubeObject> =>
  (await applyOne(session, resource, { ...manifest, dryRun: 'server' })).object

interface ApplyRequest {
  readonly source: string
  readonly object: KubeObject
  readonly dryRun: DryRun
  readonly fieldManager?: string
}

const nameOf = ({ source, object }: Pick<ApplyRequest, 'source' | 'object'>): string => {
  const { name } = object.metadata
  if (name !== undefined && name !== '') return name
  throw new Error(
    `error when retrieving current configuration of ${source}: resource name may not be empty`,
  )
}

const applyOnServer = async (
  session: ApiSession,
  resource: ServedResource,
  manifest: Pick<ApplyRequest, 'source' | 'object'> & { readonly options: ApplyOptions },
): Promise<Applied> => {
  const { object, options } = manifest
  const answer = await session.transport.json({
    method: 'PATCH',
    path: objectPath(resource.ref, object.metadata.namespace, nameOf(manifest)),
    query: {
      fieldManager: options.fieldManager === fieldManagerDefault ? 'balsa' : options.fieldManager,
      fieldValidation: 'Strict',
      force: options.forceConflicts,
      ...dryRunQuery(options),
    },
    contentType: 'application/apply-patch+yaml',
    body: object as unknown as Json,
  })
  return { object: answer as unknown as KubeObject, done: 'serverside-applied' }
}

const applyOne = async (
  session: ApiSession,
  resource: ServedResource,
  request: ApplyRequest,
): Promise<Applied> => {
  const { object, source, fieldManager = fieldManagerDefault } = request
  const name = nameOf(request)
  const { namespace } = object.metadata
  const current = await find(session, resource, object)
  const modified = withLastApplied(object)
  const query = { fieldManager, fieldValidation: 'Strict', ...dryRunQuery(request) }
  const isTried = request.dryRun === 'client'
  if (current === undefined) {
    if (isTried) return { object: modified as unknown as KubeObject, done: 'created' }
    const path = collectionPath(resource.ref, namespace)
    const answer = await sent(`error when creating ${JSON.stringify(source)}`, () =>
      session.transport.json({ method: 'POST', path, query, body: modified }),
    )
    return { object: answer as unknown as KubeObject, done: 'created' }
  }
  const type = resourceTypes.find(
    (one) => one.kind === resource.kind && one.group === resource.ref.group,
  )
  const lastApplied = lastAppliedOf(current)
  const mergeKeys = type === undefined ? undefined : mergeKeysOf(type)
  const patch = createApplyPatch({ lastApplied, modified, current }, mergeKeys)
  const unchanged = { object: current as unknown as KubeObject, done: 'unchanged' }
  if (patch === undefined) return unchanged
  if (isTried) return { ...unchanged, done: 'configured' }
  const answer = await sent(`error when patching ${JSON.stringify(source)}`, () =>
    session.transport.json({
      method: 'PATCH',
      path: objectPath(resource.ref, namespace, name),
      query,
      contentType:
        type === undefined
          ? 'application/merge-patch+json'
          : 'application/strategic-merge-patch+json',
      body: patch,
    }),
  )
  return resourceVersionOf(answer) === resourceVersionOf(current) && request.dryRun === 'none'
    ? unchanged
    : { object: answer as unknown as KubeObject, done: 'configured' }
}

const find = async (
  session: ApiSession,
  { ref }: ServedResource,
  { metadata }: KubeObject,
): Promise<JsonObject | undefined> => {
  try {
    return (await session.transport.json({
      method: 'GET',
      path: objectPath(ref, metadata.namespace, metadata.name ?? ''),
    })) as JsonObject
  } catch (reason) {
    if (reason instanceof ApiError && reason.code === 404) return undefined
    throw reason
  }
}

/** Puts what was being done before the server's text. */
const sent = async <T>(doing: string, request: () => Promise<T>): Promise<T> => {
  try {
    return await request()
  } catch (reason) {
    if (!(reason instanceof ApiError) || reason.reason === 'Invalid') throw reason
    throw new ApiError(reason.code, reason.reason, `${doing}: ${reason.message}`, reason.details)
  }
}

/** The manifest remembers itself, so that the next apply knows what it takes back. */
const withLastApplied = (object: KubeObject): JsonObject => {
  const { annotations, ...metadata } = object.metadata
  const { [lastAppliedKey]: _old, ...others } = annotations ?? {}
  const plain = { ...object, metadata: { ...metadata, annotations: others } }
  const text = `${sortedJson(plain)}\n`
  return {
    ...plain,
    metadata: { ...metadata, annotations: { ...others, [lastAppliedKey]: text } },
  } as unknown as JsonObject
}

const lastAppliedOf = (current: JsonObject): JsonObject => {
  const metadata = current['metadata'] as KubeObject['metadata'] | undefined
  const text = metadata?.annotations?.[lastAppliedKey]
  if (text === undefined) return {}
  try {
    return JSON.parse(text) as JsonObject
  } catch (reason) {
    if (reason instanceof SyntaxError) return {}
    throw reason
  }
}

const resourceVersionOf = (object: Json): string | undefined =>
  (object as { metadata?: { resourceVersion?: string } }).metadata?.resourceVersion
