// Answers "how many pods like these are in that zone" and "whose affinity concerns this pod" without looking at pods: counts by domain
// are kept for every question asked before, and every placed pod changes those that its class matches.
import { assert } from '@balsa/raft/assert'
import type { Labels } from '../../resources/label-selector.ts'
import { DomainCounts } from './domain-counts.ts'
import { podClassKey, type PodClass } from './pod-class.ts'
import type { ClassMatcher, PodTerm, PodTerms } from './pod-terms.ts'

/** `anti`: keeps matching pods away. Else: weight for or against them. */
export interface OwnedTerm {
  readonly term: PodTerm
  readonly isAnti: boolean
  readonly weight: number
  /** Pods that have the term. */
  readonly counts: DomainCounts
}

/** A class with what was found out about it; made by the index. */
export interface KnownClass {
  readonly of: PodClass
  readonly key: string
}
interface ClassEntry extends KnownClass {
  readonly byNode: Map<string, number>
  /** What it counts in, and whose terms match it, as of #version. */
  version: number
  questions: readonly Question[]
  concerned: readonly OwnedTerm[]
}
interface Question {
  readonly matcher: ClassMatcher
  readonly counts: DomainCounts
}

/** Questions kept up to date; beyond it the one not asked for longest is forgotten. */
export const questionsMax = 500
/** What upstream adds for a pod that another one must be near. */
const requiredAffinityWeight = 1
const noLabels: Labels = {}

export class TopologyIndex {
  readonly #classes = new Map<string, ClassEntry>()
  /** Least recently asked first. */
  readonly #questions = new Map<string, Question>()
  readonly #owned = new Map<string, OwnedTerm>()
  readonly #namespaces = new Map<string, Labels>()
  readonly #labelsOf: (node: string) => Labels
  #version = 0

  /** `labelsOf` a node; empty for one that is not there. */
  constructor(labelsOf: (node: string) => Labels) {
    this.#labelsOf = labelsOf
  }

  /** The class as the index knows it; the same object for equal classes while it has pods. */
  classOf(of: PodClass): KnownClass {
    const key = podClassKey(of)
    return this.#classes.get(key) ?? this.#made(of, key)
  }

  /** `sign` 1: the pod is on the node now; -1: no longer. */
  count(known: KnownClass, terms: PodTerms, node: string, sign: 1 | -1): void {
    const entry = this.#entry(known)
    const labels = this.#labelsOf(node)
    const onNode = (entry.byNode.get(node) ?? 0) + sign
    assert(onNode >= 0, 'pods of a class are counted in and out in pairs')
    this.#refresh(entry)
    if (onNode === 0) entry.byNode.delete(node)
    else entry.byNode.set(node, onNode)
    for (const { counts } of entry.questions) counts.add(node, labels[counts.topologyKey], sign)
    if (entry.byNode.size === 0) this.#classes.delete(entry.key)
    else this.#classes.set(entry.key, entry)
    this.#countTerms(terms, node, labels, sign)
  }

  /** How many placed pods match, by domain. Kept up to date until it is not asked for long. */
  neighbours(matcher: ClassMatcher, topologyKey: string): DomainCounts {
    const key = `${topologyKey} ${matcher.key}`
    const known = this.#questions.get(key)
    if (known !== undefined) {
      this.#questions.delete(key)
      this.#questions.set(key, known)
      return known.counts
    }
    const question = { matcher, counts: new DomainCounts(topologyKey) }
    this.#questions.set(key, question)
    this.#answer(question)
    this.#version++
    if (this.#questions.size > questionsMax) {
      const oldest = this.#questions.keys().next()
      if (oldest.done !== true) this.#questions.delete(oldest.value)
    }
    return question.counts
  }

  /** Terms of placed pods that match a pod of the class. */
  concerned(known: KnownClass): readonly OwnedTerm[] {
    if (this.#owned.size === 0) return []
    const entry = this.#entry(known)
    this.#refresh(entry)
    return entry.concerned
  }

  isMatched(matcher: ClassMatcher, { of }: KnownClass): boolean {
    return matcher.matches(of, this.#namespaces.get(of.namespace) ?? noLabels)
  }

  /** The labels of a node have changed. */
  relabel(node: string, from: Labels, to: Labels): void {
    const move = ({ counts }: { counts: DomainCounts }): void => {
      counts.move(node, from[counts.topologyKey], to[counts.topologyKey])
    }
    for (const question of this.#questions.values()) move(question)
    for (const owned of this.#owned.values()) move(owned)
  }

  /** The labels of a namespace decide about selectors of namespaces; undefined: it is gone. */
  setNamespace(name: string, labels: Labels | undefined): void {
    if (labels === undefined) this.#namespaces.delete(name)
    else this.#namespaces.set(name, labels)
    this.#version++
    // Rare: ask every question again.
    for (const [key, { matcher, counts }] of this.#questions) {
      const question = { matcher, counts: new DomainCounts(counts.topologyKey) }
      this.#questions.set(key, question)
      this.#answer(question)
    }
  }

  #answer({ matcher, counts }: Question): void {
    for (const entry of this.#classes.values()) {
      if (!this.isMatched(matcher, entry)) continue
      for (const [node, count] of entry.byNode)
        counts.add(node, this.#labelsOf(node)[counts.topologyKey], count)
    }
  }

  #entry(known: KnownClass): ClassEntry {
    return this.#classes.get(known.key) ?? this.#made(known.of, known.key)
  }

  #made(of: PodClass, key: string): ClassEntry {
    return { of, key, byNode: new Map(), version: -1, questions: [], concerned: [] }
  }

  #refresh(entry: ClassEntry): void {
    if (entry.version === this.#version) return
    entry.version = this.#version
    entry.questions = [...this.#questions.values()].filter(({ matcher }) =>
      this.isMatched(matcher, entry),
    )
    entry.concerned = [...this.#owned.values()].filter(({ term }) => this.isMatched(term, entry))
  }

  #countTerms(terms: PodTerms, node: string, labels: Labels, sign: 1 | -1): void {
    const { affinity, antiAffinity, preferred } = terms
    for (const term of antiAffinity) this.#own(term, true, 0, node, labels, sign)
    for (const term of affinity) this.#own(term, false, requiredAffinityWeight, node, labels, sign)
    for (const { term, weight } of preferred) this.#own(term, false, weight, node, labels, sign)
  }

  #own(
    term: PodTerm,
    isAnti: boolean,
    weight: number,
    node: string,
    labels: Labels,
    sign: 1 | -1,
  ): void {
    const key = `${isAnti ? 'anti' : weight} ${term.topologyKey} ${term.key}`
    let owned = this.#owned.get(key)
    if (owned === undefined) {
      owned = { term, isAnti, weight, counts: new DomainCounts(term.topologyKey) }
      this.#owned.set(key, owned)
      this.#version++
    }
    owned.counts.add(node, labels[term.topologyKey], sign)
    if (owned.counts.total > 0) return
    this.#owned.delete(key)
    this.#version++
  }
}
