// A profile: how pods of one schedulerName are scheduled. Filters are the same for all; scores and their weights differ.
import { podAffinity, spread } from './scores/neighbour-scores.ts'
import {
  balancedAllocation,
  imageLocality,
  leastAllocated,
  mostAllocated,
  nodeAffinity,
  softTaints,
} from './scores/node-scores.ts'
import type { Score } from './scores/score.ts'

/** By upstream's names of the plugins; 0 turns a score off. */
export interface ScoreWeights {
  readonly NodeResourcesFit?: number
  readonly NodeResourcesBalancedAllocation?: number
  readonly NodeAffinity?: number
  readonly TaintToleration?: number
  readonly InterPodAffinity?: number
  readonly PodTopologySpread?: number
  readonly ImageLocality?: number
}
export interface ProfileOptions {
  readonly schedulerName: string
  readonly weights?: ScoreWeights
  /** Whether empty nodes are better, or full ones. */
  readonly scoring?: 'LeastAllocated' | 'MostAllocated'
  /** Nodes that are looked at on large clusters; 0: as many as upstream's default. */
  readonly percentageOfNodesToScore?: number
}
export interface Profile {
  readonly schedulerName: string
  readonly percentageOfNodesToScore: number
  readonly scores: readonly { readonly score: Score; readonly weight: number }[]
}

export const defaultSchedulerName = 'default-scheduler'

const defaultWeights: Required<ScoreWeights> = {
  NodeResourcesFit: 1,
  NodeResourcesBalancedAllocation: 1,
  NodeAffinity: 2,
  TaintToleration: 3,
  InterPodAffinity: 2,
  PodTopologySpread: 2,
  ImageLocality: 1,
}

export function profileOf(options: ProfileOptions): Profile {
  const scores: Record<keyof ScoreWeights, Score> = {
    NodeResourcesFit: options.scoring === 'MostAllocated' ? mostAllocated : leastAllocated,
    NodeResourcesBalancedAllocation: balancedAllocation,
    NodeAffinity: nodeAffinity,
    TaintToleration: softTaints,
    InterPodAffinity: podAffinity,
    PodTopologySpread: spread,
    ImageLocality: imageLocality,
  }
  const weights = { ...defaultWeights, ...options.weights }
  return {
    schedulerName: options.schedulerName,
    percentageOfNodesToScore: options.percentageOfNodesToScore ?? 0,
    scores: (Object.keys(scores) as (keyof ScoreWeights)[])
      .map((name) => ({ score: scores[name], weight: weights[name] }))
      .filter(({ weight }) => weight > 0),
  }
}

export const defaultProfile: Profile = profileOf({ schedulerName: defaultSchedulerName })
