// Majorities as the checkers count them: with nothing of the code that they judge.
import type { Membership, NodeId } from '../../core/types.ts'

/** More than half of the voters, and of a joint configuration more than half of both sides. */
export function isQuorum(
  { voters, votersOutgoing }: Membership,
  isIn: (id: NodeId) => boolean,
): boolean {
  return [voters, votersOutgoing].every((side) => {
    return side.length === 0 || side.filter(isIn).length * 2 > side.length
  })
}
