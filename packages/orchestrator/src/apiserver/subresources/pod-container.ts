// Which container of a pod a request means, and on which node it is: the same for logs, exec and attach.
import type { KubeObject, Stored } from '../../resources/object.ts'
import type { Pod } from '../../resources/pod.ts'
import { badRequest } from '../api-errors.ts'

const defaultContainerAnnotation = 'kubectl.kubernetes.io/default-container'

/** Throws ApiError BadRequest for a pod that no node has yet. */
export const nodeOf = (object: Stored<KubeObject>): string => {
  const pod = object as Stored<Pod>
  const nodeName = pod.spec.nodeName ?? ''
  if (nodeName === '') throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`)
  return nodeName
}

/** The container asked for, or the only one, or the one the annotation names. Throws ApiError BadRequest. */
export const containerOf = (object: Stored<KubeObject>, asked: string): string => {
  const { metadata, spec } = object as Stored<Pod>
  const namesOf = (containers: readonly { readonly name: string }[] | undefined): string[] =>
    (containers ?? []).map((container) => container.name)
  const names = namesOf(spec.containers)
  const initNames = namesOf(spec.initContainers)
  if (asked !== '') {
    const all = [...names, ...initNames, ...namesOf(spec.ephemeralContainers)]
    if (all.includes(asked)) return asked
    throw badRequest(`container ${asked} is not valid for pod ${metadata.name}`)
  }
  const annotated = metadata.annotations?.[defaultContainerAnnotation]
  if (annotated !== undefined && names.includes(annotated)) return annotated
  const [only] = names
  if (names.length === 1 && only !== undefined) return only
  const initText =
    initNames.length === 0 ? '' : ` or one of the init containers: [${initNames.join(' ')}]`
  throw badRequest(
    `a container name must be specified for pod ${metadata.name}, choose one of: [${names.join(' ')}]${initText}`,
  )
}
