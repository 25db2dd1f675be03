// What a request may write, before it goes into the log: of a transaction the dearer branch, wherever its conditions lead.
import { keyRange, type KeyRange } from '../mvcc/key-range.ts'
import { keyText } from '../mvcc/key-text.ts'
import type { MvccStore } from '../mvcc/store.ts'
import type { PutRequest, RequestOp } from '../proto/messages.ts'
import { quotaRange } from './quota-rule.ts'
import { pairSizeBytes, type Amount } from './quota-use.ts'

interface Growth extends Amount {
  readonly key: string
}

type Step =
  | { readonly type: 'put'; readonly growth: Growth }
  | { readonly type: 'delete'; readonly range: KeyRange }
  | { readonly type: 'either'; readonly branches: readonly (readonly Step[])[] }

export class PlannedWrite {
  readonly #steps: readonly Step[]

  /** As the store is now. */
  constructor(ops: readonly RequestOp[], store: MvccStore) {
    this.#steps = stepsOf(ops, store)
  }

  /** Keys that may be put; one may come twice. */
  keys(): Iterable<string> {
    return keysOf(this.#steps)
  }

  get isDeleting(): boolean {
    return hasDelete(this.#steps)
  }

  deletesIn(prefix: Uint8Array): boolean {
    return deletes(this.#steps, quotaRange(prefix))
  }

  /** At most so much more under a prefix; what it deletes is not counted. */
  added(prefix: string): Amount {
    return addedBy(this.#steps, prefix)
  }
}

function stepsOf(ops: readonly RequestOp[], store: MvccStore): Step[] {
  const steps: Step[] = []
  for (const op of ops) {
    if (op?.type === 'put') steps.push({ type: 'put', growth: growthBy(op.request, store) })
    else if (op?.type === 'deleteRange') {
      steps.push({ type: 'delete', range: keyRange(op.request.key, op.request.rangeEnd) })
    } else if (op?.type === 'txn') {
      const { success, failure } = op.request
      const branches = [stepsOf(success, store), stepsOf(failure, store)]
      steps.push({ type: 'either', branches })
    }
  }
  return steps
}

function growthBy(request: PutRequest, store: MvccStore): Growth {
  const key = keyText(request.key)
  const record = store.index.get(key)
  const size = request.key.length + request.value.length
  if (record === undefined || record.version === 0) return { key, keys: 1, sizeBytes: size }
  if (request.ignoreValue) return { key, keys: 0, sizeBytes: 0 }
  return { key, keys: 0, sizeBytes: size - pairSizeBytes(store.read(record.main, record.sub)) }
}

function* keysOf(steps: readonly Step[]): Iterable<string> {
  for (const step of steps) {
    if (step.type === 'put') yield step.growth.key
    else if (step.type === 'either') for (const branch of step.branches) yield* keysOf(branch)
  }
}

function hasDelete(steps: readonly Step[]): boolean {
  return steps.some(
    (step) => step.type === 'delete' || (step.type === 'either' && step.branches.some(hasDelete)),
  )
}

function deletes(steps: readonly Step[], { from, to }: KeyRange): boolean {
  return steps.some((step) => {
    if (step.type === 'either') return step.branches.some((branch) => deletes(branch, { from, to }))
    if (step.type === 'put') return false
    const { range } = step
    return (to === undefined || range.from < to) && (range.to === undefined || range.to > from)
  })
}

function addedBy(steps: readonly Step[], prefix: string): Amount {
  let keys = 0
  let sizeBytes = 0
  for (const step of steps) {
    if (step.type === 'put' && step.growth.key.startsWith(prefix)) {
      keys += step.growth.keys
      sizeBytes += step.growth.sizeBytes
    } else if (step.type === 'either') {
      const branches = step.branches.map((branch) => addedBy(branch, prefix))
      keys += Math.max(...branches.map((branch) => branch.keys))
      sizeBytes += Math.max(...branches.map((branch) => branch.sizeBytes))
    }
  }
  return { keys, sizeBytes }
}
