// Which pod a word means: its name, or one of those that a workload made.
import type { ResourceRef } from '../client/api-client.ts'
import { formatSelector } from '../resources/index.ts'
import type { KubeObject, LabelSelector } from '../resources/object.ts'
import type { ApiSession } from './api-session.ts'
import { parseObjectArguments } from './object-arguments.ts'

export const podsRef: ResourceRef = { group: '', version: 'v1', plural: 'pods' }

type Owner = KubeObject & {
  readonly spec?: { readonly selector?: LabelSelector | Readonly<Record<string, string>> }
}

/** POD or RESOURCE/NAME, in the session's namespace. */
export const findPod = async (session: ApiSession, word: string): Promise<string> => {
  if (!word.includes('/')) return word
  const [target] = parseObjectArguments(await session.served(), [word])
  if (target?.name === undefined) throw new Error(`${word} names no object`)
  if (target.resource.ref.plural === 'pods') return target.name
  const owner = await session.client.get<Owner>(
    target.resource.ref,
    session.namespaceOf(target.resource),
    target.name,
  )
  const selector = selectorOf(target.resource.ref.plural, owner)
  if (selector === undefined) throw new Error(`${word} has no pods of its own`)
  const { items } = await session.client.list(podsRef, {
    namespace: session.namespace,
    labelSelector: formatSelector(selector),
  })
  const names = items.map(({ metadata }) => metadata.name).toSorted()
  const [first] = names
  if (first === undefined) throw new Error(`no pods of ${word} were found`)
  if (names.length > 1) {
    process.stderr.write(`Found ${names.length} pods, using pod/${first}\n`)
  }
  return first
}

/** Services and ReplicationControllers select by labels alone. */
const selectorOf = (plural: string, { spec }: Owner): LabelSelector | undefined => {
  const selector = spec?.selector
  if (selector === undefined || (plural !== 'services' && plural !== 'replicationcontrollers'))
    return selector
  return { matchLabels: selector as Readonly<Record<string, string>> }
}
