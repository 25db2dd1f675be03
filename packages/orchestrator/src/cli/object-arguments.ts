// The words after a verb: `pods`, `pod web db`, `pod/web deploy/api`, `po,svc`.
import { findResources } from './discovery.ts'
import type { ServedResource } from './discovery.ts'

/** `name` undefined: all of the kind. */
export interface ObjectArgument {
  readonly resource: ServedResource
  readonly name: string | undefined
}

/** Throws Error where a word names no kind, or the forms are mixed. */
export const parseObjectArguments = (
  served: readonly ServedResource[],
  words: readonly string[],
): ObjectArgument[] => {
  if (words.some((word) => word.includes('/'))) {
    return words.flatMap((word) => {
      const [type, name, ...rest] = word.split('/')
      if (
        type === undefined ||
        type === '' ||
        name === undefined ||
        name === '' ||
        rest.length > 0
      ) {
        throw new Error(
          `there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'balsa get resource/<resource_name>' instead of 'balsa get resource resource/<resource_name>'`,
        )
      }
      return findResources(served, type).map((resource) => ({ resource, name }))
    })
  }
  const [types = '', ...names] = words
  const resources = types.split(',').flatMap((type) => findResources(served, type))
  if (names.length === 0) return resources.map((resource) => ({ resource, name: undefined }))
  return resources.flatMap((resource) => names.map((name) => ({ resource, name })))
}
