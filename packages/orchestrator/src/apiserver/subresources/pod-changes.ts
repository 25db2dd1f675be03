// What pods/NAME/ephemeralcontainers and pods/NAME/resize may change of a pod that runs: nothing but the list of ephemeral containers, and
// nothing but the resources of containers.
import { jsonEqual } from '../../resources/json-equal.ts'
import type { FieldError, KubeObject, ResourceType, Stored } from '../../resources/object.ts'
import type { Container } from '../../resources/pod-spec/pod-spec.ts'
import { podType, type Pod } from '../../resources/pod.ts'
import { duplicate, forbidden, required } from '../../resources/validation/field-error.ts'
import { invalid, modifiedConflict } from '../api-errors.ts'

type PodChange = (current: Stored<KubeObject>, sent: KubeObject) => KubeObject

/** Throws ApiError Conflict or Invalid. */
export const withEphemeralContainers: PodChange = (object, sent) => {
  const current = object as Stored<Pod>
  checkVersion(current, sent)
  const { ephemeralContainers } = (sent as Pod).spec
  const spec = { ...current.spec, ephemeralContainers: ephemeralContainers ?? [] }
  const pod = podType.defaults({ ...current, spec })
  check(pod, [...additionErrors(pod, current), ...podType.validate(pod)])
  return pod
}

/** Throws ApiError Conflict or Invalid. */
export const withResources: PodChange = (object, sent) => {
  const current = object as Stored<Pod>
  checkVersion(current, sent)
  const asked = new Map((sent as Pod).spec.containers.map((one) => [one.name, one.resources]))
  const containers = current.spec.containers.map((container) => ({
    ...container,
    resources: asked.get(container.name) ?? container.resources,
  }))
  const isChanged = !jsonEqual(containers, current.spec.containers)
  const generation = (current.metadata.generation ?? 0) + (isChanged ? 1 : 0)
  const pod = podType.defaults({
    ...current,
    metadata: { ...current.metadata, generation },
    spec: { ...current.spec, containers },
  })
  check(pod, podType.validate(pod))
  return pod
}

const field = 'spec.ephemeralContainers'

const additionErrors = (pod: Pod, current: Pod): FieldError[] => {
  const before = current.spec.ephemeralContainers ?? []
  const now = pod.spec.ephemeralContainers ?? []
  if (before.some((one) => !now.some((other) => jsonEqual(one, other)))) {
    const names = before.map(({ name }) => JSON.stringify(name)).join(', ')
    return [
      forbidden(field, `existing ephemeral containers ${names} may not be removed or changed`),
    ]
  }
  const others = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]
  const taken = new Set(others.map(({ name }) => name))
  return now.flatMap((container, index) => {
    const errors = containerErrors(container, `${field}[${index}]`, taken)
    taken.add(container.name)
    return errors
  })
}

/** What makes no sense in a container that is there for a while. */
const unserved = ['ports', 'livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle'] as const

const containerErrors = (
  container: Container,
  path: string,
  taken: ReadonlySet<string>,
): FieldError[] => [
  ...((container.name ?? '') === '' ? [required(`${path}.name`)] : []),
  ...(taken.has(container.name) ? [duplicate(`${path}.name`, container.name)] : []),
  ...((container.image ?? '') === '' ? [required(`${path}.image`)] : []),
  ...unserved
    .filter((name) => container[name] !== undefined)
    .map((name) => forbidden(`${path}.${name}`, 'cannot be set for an Ephemeral Container')),
]

const checkVersion = (current: Stored<Pod>, sent: KubeObject): void => {
  const { name, resourceVersion } = current.metadata
  const asked = sent.metadata.resourceVersion ?? ''
  if (asked !== '' && asked !== resourceVersion) {
    throw modifiedConflict({ group: '', resource: 'pods' }, name)
  }
}

const check = ({ metadata }: KubeObject, errors: readonly FieldError[]): void => {
  const type: Pick<ResourceType, 'group' | 'kind'> = podType
  if (errors.length > 0) throw invalid(type, metadata.name ?? '', errors)
}
