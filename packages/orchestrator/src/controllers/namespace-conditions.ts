// What a namespace that is being deleted says of its end: five conditions, with upstream's reasons and messages.
import type { Condition } from '../resources/object.ts'

/** What a round of deletions left. */
export interface Leftover {
  /** By `plural.group`: how many objects. */
  readonly contents: ReadonlyMap<string, number>
  /** By finalizer: how many objects have it. */
  readonly finalizers: ReadonlyMap<string, number>
  /** What deletions failed with, one for each kind. */
  readonly errors: readonly string[]
}

type Verdict = Pick<Condition, 'status' | 'reason' | 'message'>

/** The same array when nothing changed. `now` is RFC 3339. */
export function namespaceConditions(
  before: readonly Condition[],
  leftover: Leftover,
  now: string,
): readonly Condition[] {
  const verdicts = verdictsOf(leftover)
  const own = verdicts.map(([type, verdict]) => {
    const old = before.find((condition) => condition.type === type)
    const isSame =
      old?.status === verdict.status &&
      old.reason === verdict.reason &&
      old.message === verdict.message
    if (isSame) return old
    const isTurned = old?.status !== verdict.status || old.lastTransitionTime === undefined
    return { type, ...verdict, lastTransitionTime: isTurned ? now : old.lastTransitionTime }
  })
  if (own.every((condition) => before.includes(condition))) return before
  const types = new Set(verdicts.map(([type]) => type))
  return [...before.filter(({ type }) => !types.has(type)), ...own]
}

function verdictsOf({ contents, finalizers, errors }: Leftover): readonly [string, Verdict][] {
  return [
    [
      'NamespaceDeletionDiscoveryFailure',
      isFine('ResourcesDiscovered', 'All resources successfully discovered'),
    ],
    [
      'NamespaceDeletionGroupVersionParsingFailure',
      isFine('ParsedGroupVersions', 'All legacy kube types successfully parsed'),
    ],
    [
      'NamespaceDeletionContentFailure',
      errors.length === 0
        ? isFine(
            'ContentDeleted',
            'All content successfully deleted, may be waiting on finalization',
          )
        : isWrong(
            'ContentDeletionFailed',
            `Failed to delete all resource types, ${errors.length} remaining: ${errors.toSorted().join(', ')}`,
          ),
    ],
    [
      'NamespaceContentRemaining',
      contents.size === 0
        ? isFine('ContentRemoved', 'All content successfully removed')
        : isWrong('SomeResourcesRemain', `Some resources are remaining: ${texts(contents, 'has')}`),
    ],
    [
      'NamespaceFinalizersRemaining',
      finalizers.size === 0
        ? isFine('ContentHasNoFinalizers', 'All content-preserving finalizers finished')
        : isWrong(
            'SomeFinalizersRemain',
            `Some content in the namespace has finalizers remaining: ${texts(finalizers, 'in')}`,
          ),
    ],
  ]
}

const isFine = (reason: string, message: string): Verdict => ({ status: 'False', reason, message })
const isWrong = (reason: string, message: string): Verdict => ({ status: 'True', reason, message })

const texts = (counts: ReadonlyMap<string, number>, verb: 'has' | 'in'): string =>
  [...counts]
    .map(([name, count]) => `${name} ${verb} ${count} resource instances`)
    .toSorted()
    .join(', ')
