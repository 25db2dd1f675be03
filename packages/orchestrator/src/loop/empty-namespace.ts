// Empties a namespace that is being deleted, and says in its conditions what is left.
import type { CollectionRef } from '../controllers/action.ts'
import { namespaceConditions, type Leftover } from '../controllers/namespace-conditions.ts'
import type { ApiClient } from '../client/api-client.ts'
import { isApiError, isConflict } from '../client/is-api-error.ts'
import { namespaceType, type Namespace } from '../resources/namespace.ts'
import { timestamp } from '../resources/timestamp.ts'

/** Objects of one kind removed in one go. */
const contentsPageMax = 500

/** What was to be emptied holds something still: try again later. */
export class ContentsRemainError extends Error {
  override readonly name = 'ContentsRemainError'
  readonly code = 'CONTENTS_REMAIN'
}

/** Rejects with ContentsRemainError while any object of `refs` is left, or with what a deletion failed with. */
export async function emptyNamespace(
  client: ApiClient,
  namespace: string,
  refs: readonly CollectionRef[],
  nowMs: number,
): Promise<void> {
  const contents = new Map<string, number>()
  const finalizers = new Map<string, number>()
  const failures: unknown[] = []
  for (const ref of refs) {
    try {
      const held = await deleteAll(client, namespace, ref)
      if (held.length > 0) contents.set(`${ref.plural}.${ref.group}`, held.length)
      for (const name of held.flat()) finalizers.set(name, (finalizers.get(name) ?? 0) + 1)
    } catch (reason) {
      failures.push(reason)
    }
  }
  if (contents.size === 0 && failures.length === 0) return
  const errors = failures.map((each) => (each instanceof Error ? each.message : String(each)))
  await tell(client, namespace, { contents, finalizers, errors }, nowMs)
  if (failures.length > 0) throw failures[0]
  throw new ContentsRemainError(`Namespace ${namespace} holds objects still`)
}

/** The finalizers of each object that is left. */
async function deleteAll(
  client: ApiClient,
  namespace: string,
  ref: CollectionRef,
): Promise<readonly (readonly string[])[]> {
  const page = { namespace, limit: contentsPageMax }
  const { items } = await client.list(ref, page)
  if (items.length === 0) return []
  for (const { metadata } of items) {
    if (metadata.deletionTimestamp !== undefined) continue
    try {
      await client.delete(ref, namespace, metadata.name, { uid: metadata.uid })
    } catch (reason) {
      if (!isApiError(reason, 404)) throw reason
    }
  }
  const left = await client.list(ref, page)
  return left.items.map(({ metadata }) => metadata.finalizers ?? [])
}

async function tell(
  client: ApiClient,
  name: string,
  leftover: Leftover,
  nowMs: number,
): Promise<void> {
  try {
    const namespace = await client.get<Namespace>(namespaceType, undefined, name)
    const before = namespace.status.conditions ?? []
    const conditions = namespaceConditions(before, leftover, timestamp(nowMs))
    if (conditions === before) return
    const status = { ...namespace.status, conditions }
    await client.update<Namespace>(namespaceType, { ...namespace, status }, 'status')
  } catch (reason) {
    // Another round tells it.
    if (!isApiError(reason, 404) && !isConflict(reason)) throw reason
  }
}
