// Controllers with a planted mistake. Whatever a property test says of controllers, it must notice each of these where it changes anything.
import type { Action, Reconciliation } from '../../controllers/action.ts'
import type { KubeObject } from '../../resources/object.ts'
import type { Controller } from '../controller.ts'

export interface Sabotage {
  readonly name: string
  /** Instead of one action; the same one where there is nothing to spoil. */
  readonly spoil: (action: Action, nth: number) => readonly Action[]
}

const isStatus = (action: Action): boolean =>
  (action.type === 'update' || action.type === 'patch') && action.subresource === 'status'
const isChange = (action: Action): boolean =>
  (action.type === 'update' || action.type === 'patch') && action.subresource === undefined
const dropping =
  (isDropped: (action: Action) => boolean): Sabotage['spoil'] =>
  (action) =>
    isDropped(action) ? [] : [action]
/** Not always: that would keep the rest from happening, too. */
const firstSpoilt = 1
const now = (nth: number): boolean => nth % 3 === firstSpoilt

const twinOf = ({ metadata, ...object }: KubeObject, nth: number): KubeObject => ({
  ...object,
  metadata:
    metadata.name === undefined ? metadata : { ...metadata, name: `${metadata.name}-${nth}` },
})
const unowned = ({ metadata, ...object }: KubeObject): KubeObject => {
  const { ownerReferences: _gone, ...rest } = metadata
  return { ...object, metadata: rest }
}

export const sabotages: readonly Sabotage[] = [
  { name: 'creates nothing', spoil: dropping(({ type }) => type === 'create') },
  { name: 'deletes nothing', spoil: dropping(({ type }) => type.startsWith('delete')) },
  { name: 'changes nothing', spoil: dropping(isChange) },
  { name: 'writes no status', spoil: dropping(isStatus) },
  {
    name: 'creates twice',
    spoil: (action, nth) =>
      action.type === 'create' && now(nth)
        ? [action, { ...action, object: twinOf(action.object, nth) }]
        : [action],
  },
  {
    name: 'forgets the owner',
    spoil: (action, nth) =>
      action.type === 'create' && now(nth) && action.object.metadata.ownerReferences !== undefined
        ? [{ ...action, object: unowned(action.object) }]
        : [action],
  },
]

/** Tells of each sabotage that could spoil something of what the controller does. */
export const watched = (
  controller: Controller,
  onSpoilable: (sabotage: Sabotage) => void,
): Controller =>
  withActions(controller, (action) => {
    for (const sabotage of sabotages)
      if (isSpoilt(action, sabotage.spoil(action, firstSpoilt))) onSpoilable(sabotage)
    return [action]
  })

export const sabotaged = (controller: Controller, { spoil }: Sabotage): Controller => {
  let nth = 0
  return withActions(controller, (action) => spoil(action, nth++))
}

const isSpoilt = (action: Action, instead: readonly Action[]): boolean =>
  instead.length !== 1 || instead[0] !== action

const withActions = (
  { connect, ...controller }: Controller,
  change: (action: Action) => readonly Action[],
): Controller => {
  const changed = (actions: readonly Action[]): Action[] =>
    actions.flatMap((action): readonly Action[] =>
      action.type === 'slowStart'
        ? [{ ...action, actions: changed(action.actions) }]
        : change(action),
    )
  return {
    ...controller,
    connect: (context) => {
      const { reconcile, ...parts } = connect(context)
      return {
        ...parts,
        reconcile: (...of) => {
          const result = reconcile(...of)
          if (result instanceof Promise) return result
          return { ...result, actions: changed(result.actions) } satisfies Reconciliation
        },
      }
    },
  }
}
