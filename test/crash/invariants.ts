// What holds at every revision of a cluster's history, whoever is killed: no pod is bound twice, no node holds more than it can, nothing
// that there may be one of is there twice. Each breach is told once.
import { isActive } from '../../packages/orchestrator/src/controllers/pod-state.ts'
import { controllerOf } from '../../packages/orchestrator/src/controllers/owner.ts'
import type { Node } from '../../packages/orchestrator/src/resources/node.ts'
import type { Stored } from '../../packages/orchestrator/src/resources/object.ts'
import type { Pod } from '../../packages/orchestrator/src/resources/pod.ts'
import type { ReplicaSet } from '../../packages/orchestrator/src/resources/replica-set.ts'
import { isJobFinished, type Job } from '../../packages/orchestrator/src/resources/workloads/job.ts'
import type { RegistryChange } from './registry-history.ts'

const indexLabel = 'batch.kubernetes.io/job-completion-index'
const hasEnded = ({ status }: Pod): boolean =>
  status.phase === 'Succeeded' || status.phase === 'Failed'
const isOnNode = (pod: Pod): boolean => (pod.spec.nodeName ?? '') !== '' && !hasEnded(pod)
/** Requests are whole processors here. */
const processors = ({ spec }: Pod): number =>
  spec.containers.reduce((sum, { resources }) => sum + Number(resources?.requests?.['cpu'] ?? 0), 0)

export class Invariants {
  readonly #pods = new Map<string, Stored<Pod>>()
  readonly #nodes = new Map<string, number>()
  readonly #sizes = new Map<string, number>()
  readonly #jobsOfTime = new Map<string, string>()
  readonly #broken = new Map<string, string>()

  get broken(): readonly string[] {
    return [...this.#broken.values()]
  }

  /** Every change, in order. */
  take({ key, object, previous, revision }: RegistryChange): void {
    const tell = (what: string, detail = ''): void => {
      if (!this.#broken.has(what)) this.#broken.set(what, `at ${revision}: ${what}${detail}`)
    }
    if (object !== undefined && previous !== undefined)
      if (object.metadata.uid !== previous.metadata.uid) tell(`${key} became another object`)
    const current = object ?? previous
    switch (current?.kind) {
      case 'Node':
        this.#nodes.set(current.metadata.name, allocatable(current as Stored<Node>))
        break
      case 'ReplicaSet':
        this.#takeSet(current as Stored<ReplicaSet>)
        break
      case 'Job':
        if (object !== undefined)
          this.#takeJob(object as Stored<Job>, previous as Stored<Job>, tell)
        break
      case 'Pod':
        this.#takePod(object as Stored<Pod> | undefined, current as Stored<Pod>, tell)
        break
    }
  }

  #takeSet({ metadata, spec }: Stored<ReplicaSet>): void {
    const largest = Math.max(this.#sizes.get(metadata.uid) ?? 0, spec.replicas ?? 1)
    this.#sizes.set(metadata.uid, largest)
  }

  /** Of a CronJob: one for each time, whatever became of it. */
  #takeJob(job: Stored<Job>, previous: Stored<Job> | undefined, tell: Tell): void {
    const { name, namespace, uid } = job.metadata
    if (controllerOf(job)?.kind === 'CronJob') {
      const key = `${namespace}/${name}`
      const first = this.#jobsOfTime.get(key) ?? uid
      this.#jobsOfTime.set(key, first)
      if (first !== uid) tell(`the time of ${key} had two jobs`)
    }
    if (previous === undefined) return
    const [now, before] = [job.status, previous.status]
    if ((now.succeeded ?? 0) < (before.succeeded ?? 0)) tell(`${name} counts fewer successes`)
    if ((now.failed ?? 0) < (before.failed ?? 0)) tell(`${name} counts fewer failures`)
    if (isJobFinished(previous) && !isJobFinished(job)) tell(`${name} is not finished any more`)
    const { completions } = job.spec
    if (completions !== undefined && (now.succeeded ?? 0) > completions)
      tell(`${name} succeeded more often than it wants`)
  }

  #takePod(pod: Stored<Pod> | undefined, current: Stored<Pod>, tell: Tell): void {
    const { uid, name } = current.metadata
    const before = this.#pods.get(uid)
    if (pod === undefined) this.#pods.delete(uid)
    else this.#pods.set(uid, pod)
    if (pod === undefined) return
    const { nodeName = '' } = pod.spec
    const was = before?.spec.nodeName ?? ''
    if (was !== '' && was !== nodeName) tell(`${name} was bound twice`, `: ${was}, ${nodeName}`)
    if (was === '' && nodeName !== '') this.#checkNode(nodeName, tell)
    if (before === undefined) this.#checkSiblings(pod, tell)
  }

  #checkNode(name: string, tell: Tell): void {
    const taken = [...this.#pods.values()]
      .filter((pod) => pod.spec.nodeName === name && isOnNode(pod))
      .reduce((sum, pod) => sum + processors(pod), 0)
    if (taken > (this.#nodes.get(name) ?? 0)) tell(`${name} holds too much`, `: ${taken}`)
  }

  /** Looked at when one more comes. */
  #checkSiblings(pod: Stored<Pod>, tell: Tell): void {
    const owner = controllerOf(pod)
    if (owner === undefined) return
    const siblings = [...this.#pods.values()].filter(
      (each) => controllerOf(each)?.uid === owner.uid && isActive(each),
    )
    const { name } = owner
    if (owner.kind === 'ReplicaSet') {
      // Nobody makes a pod before its set is there.
      if (siblings.length > (this.#sizes.get(owner.uid) ?? 0))
        tell(`${name} has more pods than it ever wanted`)
    } else if (owner.kind === 'Job') {
      const index = pod.metadata.annotations?.[indexLabel]
      const same = siblings.filter((each) => each.metadata.annotations?.[indexLabel] === index)
      if (index !== undefined && same.length > 1) tell(`index ${index} of ${name} runs twice`)
      const done = [...this.#pods.values()].find(
        (each) =>
          controllerOf(each)?.uid === owner.uid &&
          each.metadata.annotations?.[indexLabel] === index &&
          each.status.phase === 'Succeeded',
      )
      if (index !== undefined && done !== undefined) tell(`index ${index} of ${name} runs again`)
    } else if (owner.kind === 'DaemonSet') {
      const placeOf = (each: Pod): string =>
        JSON.stringify(each.spec.affinity ?? each.spec.nodeName)
      const same = siblings.filter((each) => placeOf(each) === placeOf(pod))
      if (same.length > 1) tell(`${name} runs twice at ${placeOf(pod)}`)
    }
  }
}

type Tell = (what: string, detail?: string) => void

const allocatable = ({ status }: Stored<Node>): number => Number(status.allocatable?.['cpu'] ?? 0)
