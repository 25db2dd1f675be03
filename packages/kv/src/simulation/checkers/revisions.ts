// Every revision has one cause: a write that was asked for, once, at one revision; or the end of a lease. What a client was told is there,
// what was refused is nowhere, and what nobody asked for does not happen.
import type { Call } from '../calls.ts'
import { describe, isSame, type Change, type CommittedHistory } from '../committed-history.ts'
import { ModelWrite } from '../model.ts'
import type { KvRequest } from '../requests.ts'
import { Violation } from '../violation.ts'

const property = 'revisions'

export class RevisionsChecker {
  readonly #history: CommittedHistory
  /** The number of the call that is known to have made a revision. */
  readonly #causes = new Map<number, number>()
  /** Writes without an answer: each may have been done once, or not. */
  readonly #open = new Map<number, Call>()
  /** Revisions that may be the end of a lease, or else the delete of its last keys just before. */
  readonly #leaseEnds = new Set<number>()
  readonly #refusedValues = new Map<string, number>()
  /** Values of writes that are known to be done. */
  readonly #revisionOfValue = new Map<string, number>()

  constructor(history: CommittedHistory) {
    this.#history = history
  }

  called(call: Call): void {
    if (isWrite(call.request)) this.#open.set(call.number, call)
  }

  /** It made `revision`, or changed nothing. */
  answered(call: Call, revision: number | undefined): void {
    this.#open.delete(call.number)
    if (revision !== undefined) this.#claim(revision, call.number)
  }

  refused(call: Call): void {
    this.#open.delete(call.number)
    for (const value of valuesOf(call.request)) this.#refusedValues.set(value, call.number)
  }

  /** The end of a lease came right after it, and it looks like that. */
  leaseEnded(revision: number): void {
    this.#leaseEnds.add(revision)
  }

  /** New in the history. */
  committed(number: number, changes: readonly Change[]): void {
    for (const { pair } of changes) {
      if (pair === undefined) continue
      const refused = this.#refusedValues.get(pair.value)
      if (refused !== undefined) {
        throw new Violation(property, `request ${refused} was refused, and is revision ${number}`)
      }
      const before = this.#revisionOfValue.get(pair.value)
      if (before !== undefined) {
        throw new Violation(property, `a write is revision ${before} and revision ${number} too`)
      }
      this.#revisionOfValue.set(pair.value, number)
    }
  }

  /** In the end: what is left over must be explained by requests without an answer, each once. */
  finished(): void {
    const left: number[] = []
    for (let number = 2; number <= this.#history.revision; number++) {
      if (!this.#causes.has(number) && !this.#leaseEnds.has(number)) left.push(number)
    }
    const candidates = new Map(left.map((number) => [number, this.#candidates(number)]))
    const taken = new Map<Call, number>()
    for (const number of left) {
      if (this.#assign(number, candidates, taken, new Set())) continue
      const changes = this.#history.at(number)?.changes ?? []
      throw new Violation(property, `nobody asked for revision ${number}: ${describe(changes)}`)
    }
  }

  #claim(revision: number, call: number): void {
    const other = this.#causes.get(revision)
    if (other !== undefined) {
      throw new Violation(property, `requests ${other} and ${call} both made revision ${revision}`)
    }
    this.#causes.set(revision, call)
  }

  #candidates(number: number): Call[] {
    const revision = this.#history.at(number)
    return [...this.#open.values()].filter(
      ({ request, calledMs }) =>
        revision !== undefined &&
        calledMs <= revision.atMs &&
        isSame(changesOf(this.#history, request, number), revision.changes),
    )
  }

  /** Finds a call for the revision, and another one for whoever has it now. */
  #assign(
    number: number,
    candidates: ReadonlyMap<number, readonly Call[]>,
    taken: Map<Call, number>,
    seen: Set<Call>,
  ): boolean {
    for (const call of candidates.get(number) ?? []) {
      if (seen.has(call)) continue
      seen.add(call)
      const holder = taken.get(call)
      if (holder !== undefined && !this.#assign(holder, candidates, taken, seen)) continue
      taken.set(call, number)
      return true
    }
    return false
  }
}

/** What a request would have changed as revision `number`. */
export function changesOf(
  history: CommittedHistory,
  request: KvRequest,
  number: number,
): readonly Change[] {
  const write = new ModelWrite(history, number - 1)
  if (request.type === 'put') write.put(request.request)
  else if (request.type === 'deleteRange') write.deleteRange(request.request)
  else if (request.type === 'txn') write.txn(request.request)
  return write.changes
}

function isWrite({ type }: KvRequest): boolean {
  return type === 'put' || type === 'deleteRange' || type === 'txn'
}

function valuesOf(request: KvRequest): string[] {
  if (request.type === 'put') return [Buffer.from(request.request.value).toString('latin1')]
  if (request.type !== 'txn') return []
  const ops = [...request.request.success, ...request.request.failure]
  return ops.flatMap((op) => (op?.type === 'put' ? valuesOf(op) : []))
}
