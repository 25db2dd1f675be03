// Limit ranges of a namespace: containers that ask nothing get what they say, and what asks too little or too much is refused.
import type { KubeObject, ResourceType } from '../../resources/object.ts'
import type { Container, PodSpec, ResourceList } from '../../resources/pod-spec/pod-spec.ts'
import {
  compareQuantities,
  parseQuantity,
  quantityMilli,
  formatQuantity,
} from '../../resources/quantity.ts'
import type { LimitRange, LimitRangeItem } from '../../resources/quota/limit-range.ts'
import { podTotal } from '../../resources/quota/quota-usage.ts'
import { forbidden } from '../api-errors.ts'
import type { Registry } from '../registry/registry.ts'
import type { AdmissionOperation, AdmissionPlugin, AdmissionRequest } from './admission.ts'
import { type AdmittedPod, isPods, withSpec } from './pod-requests.ts'

const annotation = 'kubernetes.io/limit-ranger'

interface Asked {
  readonly requests?: ResourceList | undefined
  readonly limits?: ResourceList | undefined
}

export class LimitRanger implements AdmissionPlugin {
  readonly name = 'LimitRanger'
  readonly #ranges: () => Registry | undefined

  constructor(ranges: () => Registry | undefined) {
    this.#ranges = ranges
  }

  handles(operation: AdmissionOperation, type: ResourceType, subresource: string): boolean {
    if (subresource !== '') return false
    if (type.group === '' && type.plural === 'persistentvolumeclaims') {
      return operation === 'CREATE' || operation === 'UPDATE'
    }
    return operation === 'CREATE' && isPods(type)
  }

  mutate({ type, namespace, object }: AdmissionRequest): KubeObject {
    const items = isPods(type) ? this.#items(namespace, 'Container') : []
    return items.length === 0 ? object : withDefaults(object as AdmittedPod, items)
  }

  validate({ type, namespace, object, name }: AdmissionRequest): void {
    const problems = isPods(type)
      ? this.#podProblems(namespace, (object as AdmittedPod).spec)
      : this.#claimProblems(namespace, object)
    if (problems.length === 0) return
    const text = problems.length === 1 ? problems[0] : `[${problems.join(', ')}]`
    throw forbidden({ group: '', resource: type.plural }, name, text ?? '')
  }

  #podProblems(namespace: string | undefined, spec: PodSpec): string[] {
    const containers = [...spec.containers, ...(spec.initContainers ?? [])]
    const ofPod = this.#items(namespace, 'Pod')
    return [
      ...this.#items(namespace, 'Container').flatMap((item) =>
        containers.flatMap(({ resources }) => itemProblems(item, resources)),
      ),
      ...ofPod.flatMap((item) =>
        itemProblems(item, { requests: total(spec, 'requests'), limits: total(spec, 'limits') }),
      ),
    ]
  }

  #claimProblems(namespace: string | undefined, claim: KubeObject): string[] {
    const { spec } = claim as KubeObject & { spec?: { resources?: { requests?: ResourceList } } }
    const storage = spec?.resources?.requests?.['storage']
    return this.#items(namespace, 'PersistentVolumeClaim').flatMap((item) => {
      const [min, max] = [item.min?.['storage'], item.max?.['storage']]
      if (storage === undefined) return []
      const problem = (word: string, bound: string): string =>
        `${word} storage usage per PersistentVolumeClaim is ${bound}, but request is ${storage}`
      if (min !== undefined && isMore(min, storage)) return [problem('minimum', min)]
      return max !== undefined && isMore(storage, max) ? [problem('maximum', max)] : []
    })
  }

  #items(namespace: string | undefined, type: string): LimitRangeItem[] {
    const items: LimitRangeItem[] = []
    for (const { object } of this.#ranges()?.cache.list(`${namespace ?? ''}/`) ?? []) {
      const { spec } = object as KubeObject as LimitRange
      items.push(...(spec.limits ?? []).filter((item) => item.type === type))
    }
    return items
  }
}

const withDefaults = (pod: AdmittedPod, items: readonly LimitRangeItem[]): AdmittedPod => {
  const requests: ResourceList = Object.assign({}, ...items.map((item) => item.defaultRequest))
  const limits: ResourceList = Object.assign({}, ...items.map((item) => item.default))
  const notes: string[] = []
  const complete = (container: Container, kind: string): Container => {
    const { resources } = container
    const added = (defaults: ResourceList, present: ResourceList = {}): string[] =>
      Object.keys(defaults).filter((name) => !Object.hasOwn(present, name))
    const newRequests = added(requests, resources.requests)
    const newLimits = added(limits, resources.limits)
    const note = (names: readonly string[], what: string): void => {
      if (names.length > 0)
        notes.push(`${names.toSorted().join(', ')} ${what} for ${kind} ${container.name}`)
    }
    note(newRequests, 'request')
    note(newLimits, 'limit')
    if (newRequests.length + newLimits.length === 0) return container
    return {
      ...container,
      resources: {
        ...resources,
        ...(newLimits.length === 0 ? {} : { limits: { ...limits, ...resources.limits } }),
        ...(newRequests.length === 0 ? {} : { requests: { ...requests, ...resources.requests } }),
      },
    }
  }
  const { containers, initContainers } = pod.spec
  const completed = withSpec(pod, {
    containers: containers.map((one) => complete(one, 'container')),
    ...(initContainers === undefined
      ? {}
      : { initContainers: initContainers.map((one) => complete(one, 'init container')) }),
  })
  if (notes.length === 0) return pod
  const annotations = {
    ...pod.metadata.annotations,
    [annotation]: `LimitRanger plugin set: ${notes.join('; ')}`,
  }
  return { ...completed, metadata: { ...completed.metadata, annotations } }
}

const total = (spec: PodSpec, side: 'requests' | 'limits'): ResourceList =>
  Object.fromEntries(
    [...podTotal(spec, side)].map(([name, value]) => [name, formatQuantity(value)]),
  )

/** In upstream's words. */
const itemProblems = (item: LimitRangeItem, asked: Asked): string[] => [
  ...Object.entries(item.min ?? {}).flatMap(([name, bound]) =>
    minProblems(item.type, name, bound, asked),
  ),
  ...Object.entries(item.max ?? {}).flatMap(([name, bound]) =>
    maxProblems(item.type, name, bound, asked),
  ),
  ...Object.entries(item.maxLimitRequestRatio ?? {}).flatMap(([name, bound]) =>
    ratioProblems(item.type, name, bound, asked),
  ),
]

const minProblems = (type: string, name: string, bound: string, asked: Asked): string[] => {
  const text = `minimum ${name} usage per ${type} is ${bound}`
  const [request, limit] = [asked.requests?.[name], asked.limits?.[name]]
  if (request === undefined) return [`${text}.  No request is specified`]
  if (isMore(bound, request)) return [`${text}, but request is ${request}`]
  return limit !== undefined && isMore(bound, limit) ? [`${text}, but limit is ${limit}`] : []
}

const maxProblems = (type: string, name: string, bound: string, asked: Asked): string[] => {
  const text = `maximum ${name} usage per ${type} is ${bound}`
  const [request, limit] = [asked.requests?.[name], asked.limits?.[name]]
  if (limit === undefined) return [`${text}.  No limit is specified`]
  if (isMore(limit, bound)) return [`${text}, but limit is ${limit}`]
  return request !== undefined && isMore(request, bound)
    ? [`${text}, but request is ${request}`]
    : []
}

const ratioProblems = (type: string, name: string, bound: string, asked: Asked): string[] => {
  const text = `${name} max limit to request ratio per ${type} is ${bound}, but`
  const [request, limit] = [milli(asked.requests?.[name]), milli(asked.limits?.[name])]
  if (request === 0) return [`${text} no request is specified or request is 0`]
  if (limit === 0) return [`${text} no limit is specified or limit is 0`]
  const ratio = limit / request
  return ratio > milli(bound) / 1000 ? [`${text} provided ratio is ${ratio.toFixed(6)}`] : []
}

const milli = (text: string | undefined): number => {
  const quantity = parseQuantity(text ?? '0')
  return quantity === undefined ? 0 : quantityMilli(quantity)
}

const isMore = (left: string, right: string): boolean => {
  const [a, b] = [parseQuantity(left), parseQuantity(right)]
  return a !== undefined && b !== undefined && compareQuantities(a, b) > 0
}
