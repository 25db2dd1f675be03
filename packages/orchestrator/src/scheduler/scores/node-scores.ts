// Scores that look at the node alone: room, balance, preferred nodes, soft taints, images that are there already.
import { preferenceWeight } from '../node-affinity.ts'
import type { ClusterView } from '../snapshot/cluster-view.ts'
import type { NodeState, PodFacts } from '../snapshot/node-state.ts'
import { isTolerated } from '../taints.ts'
import { normalized, scoreMax, type Score } from './score.ts'

/** How full cpu and memory would be, 0 to 1. */
const shares = ({ demand }: PodFacts, state: NodeState): readonly [number, number] => [
  share(state.scored.cpu + demand.scored.cpu, state.allocatable.get('cpu')),
  share(state.scored.memory + demand.scored.memory, state.allocatable.get('memory')),
]
const share = (taken: number, all: number | undefined): number =>
  all === undefined || all === 0 ? 1 : Math.min(1, taken / all)

/** The emptier the better. */
export const leastAllocated: Score = (facts, states) =>
  states.map((state) => {
    const [cpu, memory] = shares(facts, state)
    return ((1 - cpu + 1 - memory) / 2) * scoreMax
  })

/** The fuller the better: as few nodes as possible. */
export const mostAllocated: Score = (facts, states) =>
  states.map((state) => {
    const [cpu, memory] = shares(facts, state)
    return ((cpu + memory) / 2) * scoreMax
  })

/** Cpu and memory should run out together. */
export const balancedAllocation: Score = (facts, states) =>
  states.map((state) => {
    const [cpu, memory] = shares(facts, state)
    return (1 - Math.abs(cpu - memory) / 2) * scoreMax
  })

export const nodeAffinity: Score = ({ pod: { spec } }, states) =>
  spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution === undefined
    ? undefined
    : normalized(states.map(({ node }) => (node === undefined ? 0 : preferenceWeight(spec, node))))

/** The fewer soft taints that are not tolerated, the better. */
export const softTaints: Score = ({ pod: { spec } }, states) => {
  if (states.every(({ softTaints: taints }) => taints.length === 0)) return undefined
  const counts = states.map(
    ({ softTaints: taints }) =>
      taints.filter((taint) => !isTolerated(spec.tolerations ?? [], taint)).length,
  )
  return normalized(counts).map((score) => scoreMax - score)
}

const imageBytesMin = 23 * 1024 * 1024
const imageBytesMaxPerContainer = 1000 * 1024 * 1024

/** Nodes that have the images; one that few nodes have counts less, so that they are not overrun. */
export const imageLocality: Score = ({ pod: { spec } }, states, view) => {
  const containers = [...(spec.initContainers ?? []), ...spec.containers]
  const images = containers
    .map(({ image = '' }) => normalizedImage(image))
    .filter((image) => view.nodesWithImage(image) > 0)
  if (images.length === 0) return undefined
  const bytesMax = imageBytesMaxPerContainer * containers.length
  return states.map((state) => {
    const bytes = images.reduce((sum, image) => sum + spreadSize(image, state, view), 0)
    const within = Math.min(Math.max(bytes, imageBytesMin), bytesMax)
    return (scoreMax * (within - imageBytesMin)) / (bytesMax - imageBytesMin)
  })
}

const spreadSize = (image: string, state: NodeState, view: ClusterView): number => {
  const size = state.images.get(image)
  return size === undefined ? 0 : (size * view.nodesWithImage(image)) / view.nodes().length
}

/** `name` is `name:latest`. */
const normalizedImage = (image: string): string =>
  image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image
