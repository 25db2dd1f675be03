// Which membership an operator asks for next: one step from the current one, or any other set.
import type { Membership, NodeId } from '../../core/types.ts'
import type { SeededRandom } from '../random.ts'

export interface TargetOptions {
  readonly current: Membership
  readonly random: SeededRandom
  readonly votersMax: number
  /** Who could join. */
  readonly outsiders: readonly NodeId[]
  /** A member is one, or not, for ever. */
  readonly isWitness: (id: NodeId) => boolean
}

type Draw = (options: TargetOptions) => Membership | undefined

const draws: readonly Draw[] = [
  addVoter,
  addLearner,
  promote,
  demote,
  removeVoter,
  removeLearner,
  swap,
  replaceAll,
]

/** Undefined when what was drawn cannot be done with these members. */
export function drawTarget(options: TargetOptions): Membership | undefined {
  const target = options.random.pick(draws)?.(options)
  return target === undefined ? undefined : withKinds(target, options.isWitness)
}

/** What is in force once the target is, and later: the learners that it names to be promoted become voters when nobody asks any more. */
export function outcomesOf(target: Membership): readonly Membership[] {
  const { voters, learners, promoting = [] } = target
  const growing = [target]
  for (const [i] of promoting.entries()) {
    const promoted = promoting.slice(0, i + 1)
    growing.push({
      ...target,
      voters: [...voters, ...promoted],
      learners: without(learners, ...promoted),
    })
  }
  return growing
}

/** A witness is a voter, and cannot be the only kind of them. */
function withKinds(target: Membership, isWitness: (id: NodeId) => boolean): Membership | undefined {
  const witnesses = target.voters.filter(isWitness)
  if (target.learners.some(isWitness) || witnesses.length === target.voters.length) return undefined
  return witnesses.length > 0 ? { ...target, witnesses } : target
}

function addVoter({
  current,
  random,
  outsiders,
  votersMax,
}: TargetOptions): Membership | undefined {
  const id = random.pick(outsiders)
  if (id === undefined || current.voters.length >= votersMax) return undefined
  return membership([...current.voters, id], current.learners)
}

function addLearner({ current, random, outsiders }: TargetOptions): Membership | undefined {
  const id = random.pick(outsiders)
  if (id === undefined || current.learners.length > 1) return undefined
  const target = membership(current.voters, [...current.learners, id])
  // Half of them are to become voters by themselves once they have caught up.
  return random.chance(0.5) ? { ...target, promoting: [id] } : target
}

function promote({ current, random, votersMax }: TargetOptions): Membership | undefined {
  const id = random.pick(current.learners)
  if (id === undefined || current.voters.length >= votersMax) return undefined
  return membership([...current.voters, id], without(current.learners, id))
}

function demote({ current, random }: TargetOptions): Membership | undefined {
  const id = random.pick(current.voters)
  if (id === undefined || current.voters.length < 2) return undefined
  return membership(without(current.voters, id), [...current.learners, id])
}

function removeVoter({ current, random }: TargetOptions): Membership | undefined {
  const id = random.pick(current.voters)
  if (id === undefined || current.voters.length < 2) return undefined
  return membership(without(current.voters, id), current.learners)
}

function removeLearner({ current, random }: TargetOptions): Membership | undefined {
  const id = random.pick(current.learners)
  return id === undefined ? undefined : membership(current.voters, without(current.learners, id))
}

function swap({ current, random, outsiders }: TargetOptions): Membership | undefined {
  const out = random.pick(current.voters)
  const into = random.pick(outsiders)
  if (out === undefined || into === undefined) return undefined
  return membership([...without(current.voters, out), into], current.learners)
}

/** Any set to any set. */
function replaceAll({ current, random, outsiders, votersMax }: TargetOptions): Membership {
  const known = [...current.voters, ...current.learners, ...outsiders]
  const count = random.integer(1, Math.min(votersMax, known.length))
  const voters: NodeId[] = []
  while (voters.length < count) {
    const id = random.pick(known.filter((each) => !voters.includes(each)))
    if (id !== undefined) voters.push(id)
  }
  return membership(voters, without(current.learners, ...voters))
}

function membership(voters: readonly NodeId[], learners: readonly NodeId[]): Membership {
  return { voters, votersOutgoing: [], learners }
}

function without(ids: readonly NodeId[], ...out: readonly NodeId[]): readonly NodeId[] {
  return ids.filter((id) => !out.includes(id))
}
