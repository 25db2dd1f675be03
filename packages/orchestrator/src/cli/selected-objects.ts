// Which objects a verb is about: those named, those of a manifest, those of a kind with these labels, or all of it.
import { ApiSession } from './api-session.ts'
import { placed } from './apply-command.ts'
import type { ServedResource } from './discovery.ts'
import { readManifests } from './manifest-files.ts'
import { parseObjectArguments } from './object-arguments.ts'

export interface SelectedObject {
  readonly resource: ServedResource
  /** undefined: of a kind that is in no namespace. */
  readonly namespace: string | undefined
  readonly name: string
}
export interface Selection {
  readonly words: readonly string[]
  readonly filename?: readonly string[] | undefined
  readonly selector?: string | undefined
  readonly fieldSelector?: string | undefined
  readonly all?: boolean | undefined
  readonly allNamespaces?: boolean | undefined
  /** -n, when it was given. */
  readonly namespace?: string | undefined
}

const nothingSelected = `You must provide one or more resources by argument or filename.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'
   '<resource> <name>'
   '<resource>'`

/** Throws Error as kubectl tells it where nothing is selected. Objects that are named need not exist. */
export const selectedObjects = async (
  session: ApiSession,
  selection: Selection,
): Promise<readonly SelectedObject[]> => {
  const { words, filename, selector, fieldSelector } = selection
  const served = await session.served()
  if (filename !== undefined)
    return readManifests(filename).map((manifest) => {
      const { resource, object } = placed(manifest, { session, served, asked: selection.namespace })
      const { namespace, name = '' } = object.metadata
      return { resource, namespace, name }
    })
  if (words.length === 0) throw new Error(nothingSelected)
  const isSelective =
    selection.all === true || selector !== undefined || fieldSelector !== undefined
  const found: SelectedObject[] = []
  for (const { resource, name } of parseObjectArguments(served, words)) {
    const namespace = session.namespaceOf(resource)
    if (name !== undefined) {
      found.push({ resource, namespace, name })
      continue
    }
    if (!isSelective) throw new Error('resource(s) were provided, but no name was specified')
    const { items } = await session.client.list(resource.ref, {
      ...(namespace === undefined || selection.allNamespaces === true ? {} : { namespace }),
      ...(selector === undefined ? {} : { labelSelector: selector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
    })
    for (const { metadata } of items)
      found.push({ resource, namespace: metadata.namespace, name: metadata.name })
  }
  return found
}
