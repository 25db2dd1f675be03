// Applies a client's patch to an object: JSON patch (RFC 6902), JSON merge patch (RFC 7386) or strategic merge patch.
import jsonPatch, { deepClone } from 'fast-json-patch'
import type { PatchType } from '../../client/api-client.ts'
import type { Json, MergeKeys } from '../../resources/object.ts'
import { applyJsonMergePatch } from '../../resources/patch/json-merge-patch.ts'
import { hostileProblem, patchDepthMax } from '../../resources/patch/patch-result.ts'
import { applyStrategicMergePatch } from '../../resources/patch/strategic-merge-patch.ts'
import { ApiError } from '../../client/api-client.ts'
import { badRequest } from '../api-errors.ts'

/** As upstream's limit. */
const jsonPatchOperationsMax = 10_000
/** A patch may copy; what it makes may not be larger than a request. */
const patchedBytesMax = 3 * 1024 * 1024
const operationNames = new Set(['add', 'remove', 'replace', 'move', 'copy', 'test'])

/** The patched object, not yet checked against its kind. `current` is not changed. Throws ApiError. */
export const applyPatch = (
  current: Json,
  patchType: PatchType,
  patch: Json,
  mergeKeys: MergeKeys,
): Json => {
  if (patchType === 'json') return applyJsonPatch(current, patch)
  const result =
    patchType === 'merge'
      ? applyJsonMergePatch(current, patch)
      : applyStrategicMergePatch(current, patch, mergeKeys)
  if (!result.ok) throw badRequest(result.message)
  return result.value
}

const applyJsonPatch = (current: Json, patch: Json): Json => {
  const operations = parseOperations(patch)
  let copiedBytes = 0
  try {
    let document: unknown = deepClone(current)
    for (const [index, operation] of operations.entries()) {
      if (operation.op === 'copy') {
        const copied: unknown = jsonPatch.getValueByPointer(document, operation.from)
        copiedBytes += JSON.stringify(copied ?? null).length
        if (copiedBytes > patchedBytesMax) break
      }
      document = jsonPatch.applyOperation(document, operation, true, true, true, index).newDocument
    }
    if (copiedBytes <= patchedBytesMax) return document as Json
  } catch (reason) {
    throw patchError(reason)
  }
  throw badRequest('the JSON patch copies more than a request may hold')
}

const parseOperations = (patch: Json): jsonPatch.Operation[] => {
  if (!Array.isArray(patch)) {
    throw badRequest('json: cannot unmarshal object into Go value of type jsonpatch.Patch')
  }
  if (patch.length > jsonPatchOperationsMax) {
    throw new ApiError(
      413,
      'RequestEntityTooLarge',
      `The allowed maximum operations in a JSON patch is ${jsonPatchOperationsMax}, got ${patch.length}`,
    )
  }
  const problem = hostileProblem(patch, patchDepthMax)
  if (problem !== undefined) throw badRequest(problem)
  for (const operation of patch as readonly Json[]) {
    const isOperation =
      typeof operation === 'object' &&
      operation !== null &&
      'op' in operation &&
      typeof operation['op'] === 'string' &&
      operationNames.has(operation['op']) &&
      typeof operation['path'] === 'string'
    if (!isOperation)
      throw badRequest(`Unexpected kind: ${JSON.stringify(operation).slice(0, 100)}`)
  }
  return [...patch] as jsonPatch.Operation[]
}

/** What upstream answers when a patch does not fit the object: 422, test failures included. */
const patchError = (reason: unknown): ApiError => {
  if (!(reason instanceof Error)) throw reason
  const isTest = reason.name === 'TEST_OPERATION_FAILED'
  const operation: unknown = 'operation' in reason ? reason.operation : undefined
  const path =
    typeof operation === 'object' && operation !== null && 'path' in operation
      ? String(operation.path)
      : ''
  const message = isTest
    ? `testing value ${path} failed: test failed`
    : `the server rejected our request due to an error in our request: ${firstLine(reason.message)} ${path}`.trim()
  return new ApiError(422, 'Invalid', message, {})
}

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? ''
