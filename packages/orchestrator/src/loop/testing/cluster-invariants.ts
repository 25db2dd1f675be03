// What holds after every single write, whoever is killed: no pod is bound twice, no node holds more than it can, nothing is there twice that
// there may be one of, what was counted stays counted. Each breach is told once.
import { isActive } from '../../controllers/pod-state.ts'
import { controllerOf } from '../../controllers/owner.ts'
import type { Node } from '../../resources/node.ts'
import type { KubeObject, Stored } from '../../resources/object.ts'
import type { Pod } from '../../resources/pod.ts'
import { isJobFinished, type Job } from '../../resources/workloads/job.ts'

export interface ObjectChange {
  readonly revision: number
  /** undefined: it is gone. */
  readonly object: Stored<KubeObject> | undefined
  readonly previous: Stored<KubeObject> | undefined
}

/** The parts of workloads that say how many pods they may have. */
type Sized = Stored<KubeObject> & {
  readonly spec?: {
    readonly replicas?: number
    readonly parallelism?: number
    readonly updateStrategy?: { readonly rollingUpdate?: { readonly maxSurge?: number | string } }
  }
}
type Tell = (what: string) => void

const indexLabel = 'batch.kubernetes.io/job-completion-index'
const isOnNode = ({ spec, status }: Pod): boolean =>
  (spec.nodeName ?? '') !== '' && status.phase !== 'Succeeded' && status.phase !== 'Failed'
/** Requests are whole processors where they matter. */
const processors = ({ spec }: Pod): number =>
  spec.containers.reduce((sum, { resources }) => sum + Number(resources?.requests?.['cpu'] ?? 0), 0)
const indexOf = ({ metadata }: Pod): string | undefined => metadata.annotations?.[indexLabel]
/** The node that a pod of a DaemonSet is meant for. */
const placeOf = ({ spec }: Pod): string => JSON.stringify(spec.affinity ?? spec.nodeName)

export class ClusterInvariants {
  readonly #pods = new Map<string, Stored<Pod>>()
  /** Processors by name. */
  readonly #nodes = new Map<string, number>()
  /** By uid: the most pods that each may have had since it is there. */
  readonly #sizes = new Map<string, number>()
  readonly #surging = new Set<string>()
  readonly #broken = new Map<string, string>()

  get broken(): readonly string[] {
    return [...this.#broken.values()]
  }

  /** Every change, in order. */
  take({ object, previous, revision }: ObjectChange): void {
    const tell: Tell = (what) => {
      if (!this.#broken.has(what)) this.#broken.set(what, `at revision ${revision}: ${what}`)
    }
    const { kind, metadata } = object ?? previous ?? {}
    if (object !== undefined && previous !== undefined && metadata?.uid !== previous.metadata.uid)
      tell(`${kind} ${metadata?.name} became another object`)
    if (kind === 'Pod')
      this.#takePod(object as Stored<Pod> | undefined, previous?.metadata.uid, tell)
    if (object === undefined) return
    if (kind === 'Node') this.#takeNode(object as Stored<Node>)
    else if (kind !== 'Pod') this.#takeSize(object as Sized)
    if (kind === 'Job' && previous !== undefined)
      checkCounts(object as Stored<Job>, previous as Stored<Job>, tell)
  }

  #takeNode({ metadata, status }: Stored<Node>): void {
    this.#nodes.set(metadata.name, Number(status.allocatable?.['cpu'] ?? 0))
  }

  #takeSize({ kind, metadata, spec = {} }: Sized): void {
    const { uid } = metadata
    if (kind === 'DaemonSet' && (spec.updateStrategy?.rollingUpdate?.maxSurge ?? 0) !== 0)
      this.#surging.add(uid)
    const size = kind === 'Job' ? (spec.parallelism ?? 1) : spec.replicas
    if (size !== undefined) this.#sizes.set(uid, Math.max(this.#sizes.get(uid) ?? 0, size))
  }

  #takePod(pod: Stored<Pod> | undefined, formerUid: string | undefined, tell: Tell): void {
    if (pod === undefined) {
      this.#pods.delete(formerUid ?? '')
      return
    }
    const { uid, name } = pod.metadata
    const before = this.#pods.get(uid)
    this.#pods.set(uid, pod)
    const { nodeName = '' } = pod.spec
    const was = before?.spec.nodeName ?? ''
    if (was !== '' && was !== nodeName) tell(`${name} was bound twice: to ${was}, ${nodeName}`)
    if (was === '' && nodeName !== '') this.#checkNode(nodeName, tell)
    if (before === undefined) this.#checkSiblings(pod, tell)
  }

  #checkNode(name: string, tell: Tell): void {
    const taken = [...this.#pods.values()]
      .filter((pod) => pod.spec.nodeName === name && isOnNode(pod))
      .reduce((sum, pod) => sum + processors(pod), 0)
    const most = this.#nodes.get(name) ?? 0
    if (taken > most) tell(`${name} holds pods of ${taken} processors and has ${most}`)
  }

  /** Looked at when one more comes: pods that are adopted may be too many. */
  #checkSiblings(pod: Stored<Pod>, tell: Tell): void {
    const owner = controllerOf(pod)
    if (owner === undefined) return
    const own = [...this.#pods.values()].filter((each) => controllerOf(each)?.uid === owner.uid)
    const active = own.filter(isActive)
    const whose = `${owner.kind} ${owner.name}`
    const size = this.#sizes.get(owner.uid)
    if (size !== undefined && active.length > size)
      tell(`${whose} has more pods than it ever wanted`)
    const same = active.filter((each) => placeOf(each) === placeOf(pod))
    if (owner.kind === 'DaemonSet' && !this.#surging.has(owner.uid) && same.length > 1)
      tell(`${whose} runs twice on one node`)
    const index = indexOf(pod)
    if (owner.kind !== 'Job' || index === undefined) return
    if (active.filter((each) => indexOf(each) === index).length > 1)
      tell(`index ${index} of ${whose} runs twice`)
    if (own.some((each) => indexOf(each) === index && each.status.phase === 'Succeeded'))
      tell(`index ${index} of ${whose} runs again`)
  }
}

function checkCounts(job: Stored<Job>, before: Stored<Job>, tell: Tell): void {
  const { metadata, spec, status } = job
  const succeeded = status.succeeded ?? 0
  if (succeeded < (before.status.succeeded ?? 0)) tell(`${metadata.name} counts fewer successes`)
  if ((status.failed ?? 0) < (before.status.failed ?? 0))
    tell(`${metadata.name} counts fewer failures`)
  if (isJobFinished(before) && !isJobFinished(job))
    tell(`${metadata.name} is not finished any more`)
  if (spec.completionMode === 'Indexed' && succeeded > (spec.completions ?? 0))
    tell(`${metadata.name} succeeded more often than it has indexes`)
}
