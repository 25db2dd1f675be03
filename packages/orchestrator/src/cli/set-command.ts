// `balsa set image`: other images for the containers of pods and of templates of pods.
import type { Command } from 'commander'
import type { Json, KubeObject } from '../resources/object.ts'
import { ApiSession, type SessionOptions } from './api-session.ts'
import { objectLabel } from './discovery.ts'
import { type SelectedObject, type Selection, selectedObjects } from './selected-objects.ts'
import { reportFailure, runVerb } from './verb-failure.ts'

interface SetOptions extends SessionOptions, Omit<Selection, 'words' | 'namespace'> {}
interface Container {
  readonly name: string
  readonly image?: string
}
interface PodSpec {
  readonly containers?: readonly Container[]
  readonly initContainers?: readonly Container[]
}

/** Where kinds have the spec of their pods; the others have none. */
const podSpecPaths: readonly (readonly string[])[] = [
  ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
  ['spec', 'template', 'spec'],
  ['spec'],
]

export const registerSetCommand = (
  program: Command,
  withSession: (command: Command) => Command,
): void => {
  const set = program.command('set').description('change what objects are made of')
  withSession(set.command('image'))
    .description('other images for containers')
    .argument(
      '[words...]',
      'RESOURCE NAME..., or RESOURCE/NAME..., then CONTAINER=IMAGE or *=IMAGE',
    )
    .option('-f, --filename <path...>', 'what these manifests name; - for stdin')
    .option('-l, --selector <labels>', 'the objects with these labels')
    .option('--all', 'all objects of the kind')
    .action((words: string[], options: SetOptions) => runVerb(() => setImages(words, options)))
}

const setImages = async (all: readonly string[], options: SetOptions): Promise<void> => {
  const words = all.filter((word) => !word.includes('='))
  const images = new Map(
    all
      .filter((word) => word.includes('='))
      .map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]),
  )
  using session = new ApiSession(options)
  // Told first, before what to change is asked for.
  const objects = await selectedObjects(session, { ...options, words })
  if (images.size === 0) throw new Error('at least one image update is required')
  if (images.has('*') && images.size > 1)
    throw new Error(
      'all containers are already specified by *, but saw more than one container_name=container_image pairs',
    )
  for (const object of objects) {
    try {
      await setOne(session, object, images)
    } catch (reason) {
      reportFailure(reason)
    }
  }
}

const setOne = async (
  session: ApiSession,
  { resource, namespace, name }: SelectedObject,
  images: ReadonlyMap<string, string>,
): Promise<void> => {
  const object = await session.client.get<KubeObject>(resource.ref, namespace, name)
  const path = podSpecPaths.find((each) => podSpecAt(object, each)?.containers !== undefined)
  const spec = path && podSpecAt(object, path)
  if (path === undefined || spec === undefined)
    throw new Error(
      `${resource.ref.plural}/${name} the object is not a pod or does not have a pod template: *${resource.ref.version}.${resource.kind}`,
    )
  const { containers = [], initContainers = [] } = spec
  const missing = [...images.keys()].filter(
    (wanted) =>
      wanted !== '*' && ![...containers, ...initContainers].some((one) => one.name === wanted),
  )
  for (const each of missing)
    reportFailure(new Error(`unable to find container named ${JSON.stringify(each)}`))
  const changed = (list: readonly Container[]): readonly Json[] =>
    list.flatMap((container) => {
      const image = images.get(container.name) ?? images.get('*') ?? container.image
      return image === undefined || image === container.image
        ? []
        : [{ name: container.name, image }]
    })
  const changes = { containers: changed(containers), initContainers: changed(initContainers) }
  const entries = Object.entries(changes).filter(([, list]) => list.length > 0)
  if (entries.length === 0) return
  let patch: Json = Object.fromEntries(entries)
  for (const key of path.toReversed()) patch = { [key]: patch }
  await session.client.patch(resource.ref, namespace, name, 'strategic', patch)
  process.stdout.write(`${objectLabel(resource, name)} image updated\n`)
}

const podSpecAt = (object: KubeObject, path: readonly string[]): PodSpec | undefined => {
  let value: unknown = object
  for (const key of path)
    value =
      typeof value === 'object' && value !== null
        ? (value as Readonly<Record<string, unknown>>)[key]
        : undefined
  return typeof value === 'object' && value !== null ? value : undefined
}
