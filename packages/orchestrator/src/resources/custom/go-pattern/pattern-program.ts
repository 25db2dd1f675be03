// A pattern as a program: states with one or two next ones, which a search follows all at once.
import type { CharacterSet } from './character-set.ts'
import type { Assertion, PatternNode } from './parse-pattern.ts'
import { PatternError } from './pattern-reader.ts'

/** More states make a search slow, and Go refuses such patterns too, if later. */
const statesMax = 20_000

export const opcode = { match: 0, set: 1, assert: 2, split: 3 } as const
type Opcode = (typeof opcode)[keyof typeof opcode]

export interface PatternState {
  op: Opcode
  /** The next state; of a split the one that is preferred. */
  next: number
  other: number
  set: CharacterSet | undefined
  assertion: Assertion | undefined
}

/** State 0 is the match. */
export interface PatternProgram {
  readonly states: readonly PatternState[]
  readonly start: number
  /** It begins where the text begins, or nowhere. */
  readonly isAnchored: boolean
}

/** Throws PatternError for a pattern that is too large. */
export const compileProgram = (node: PatternNode, text: string): PatternProgram => {
  const states: PatternState[] = []
  const add = (op: Opcode, next: number, more: Partial<PatternState> = {}): number => {
    if (states.length >= statesMax) throw new PatternError('expression too large', text)
    states.push({ op, next, other: -1, set: undefined, assertion: undefined, ...more })
    return states.length - 1
  }
  /** From the end to the beginning: returns where `one` begins if it goes on with `next`. */
  const build = (one: PatternNode, next: number): number => {
    switch (one.kind) {
      case 'set':
        return add(opcode.set, next, { set: one.set })
      case 'assert':
        return add(opcode.assert, next, { assertion: one.assertion })
      case 'sequence':
        return one.parts.reduceRight((after, part) => build(part, after), next)
      case 'choice': {
        const [last = next, ...others] = one.parts.map((part) => build(part, next)).toReversed()
        return others.reduce((other, first) => add(opcode.split, first, { other }), last)
      }
      case 'repeat':
        return repeat(one, next)
    }
  }
  const split = (inner: number, after: number, isLazy: boolean): number =>
    isLazy ? add(opcode.split, after, { other: inner }) : add(opcode.split, inner, { other: after })
  const loop = (part: PatternNode, after: number, isLazy: boolean): number => {
    const back = split(-1, after, isLazy)
    const state = states[back]
    const begin = build(part, back)
    if (state !== undefined) state[isLazy ? 'other' : 'next'] = begin
    return begin
  }
  const repeat = (
    { part, min, max, isLazy }: Extract<PatternNode, { kind: 'repeat' }>,
    next: number,
  ): number => {
    let at = next
    if (max === undefined) {
      at = loop(part, next, isLazy)
      if (min === 0) return split(at, next, isLazy)
      for (let count = 1; count < min; count++) at = build(part, at)
      return at
    }
    for (let count = min; count < max; count++) at = split(build(part, at), next, isLazy)
    for (let count = 0; count < min; count++) at = build(part, at)
    return at
  }
  const match = add(opcode.match, -1)
  const start = build(node, match)
  return { start, states, isAnchored: isAnchored(states, start) }
}

/** Whether all ways begin with the beginning of the text. */
const isAnchored = (states: readonly PatternState[], start: number): boolean => {
  const seen = new Set<number>()
  const open = [start]
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    const state = states[index]
    if (state === undefined || seen.has(index)) continue
    seen.add(index)
    if (state.op === opcode.split) open.push(state.next, state.other)
    else if (state.op !== opcode.assert || state.assertion !== 'beginText') return false
  }
  return true
}
