// `balsa create deployment`, `job` and `cronjob`.
import type { Json } from '../../resources/object.ts'
import { findNamed } from '../discovery.ts'
import { type Generator, type GeneratorRequest, given, type Manifested } from './generator.ts'

interface CronJob extends Manifested {
  readonly spec: {
    readonly jobTemplate: {
      readonly metadata?: {
        readonly labels?: Readonly<Record<string, string>>
        readonly annotations?: Readonly<Record<string, string>>
      }
      readonly spec: Json
    }
  }
}

/** `registry/web:1` -> `web`. */
const containerName = (image: string): string =>
  (image.split('/').at(-1) ?? '')
    .replace(/[@:].*$/s, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]/g, '-')

const podSpec = (
  { name, rest, flags }: GeneratorRequest,
  restartPolicy: string,
): { readonly [key: string]: Json } => ({
  containers: [given({ name, image: flags.text('image'), command: rest })],
  restartPolicy,
})

const jobOfCronJob = async ({ name, flags, session }: GeneratorRequest): Promise<Manifested> => {
  const from = flags.text('from') ?? ''
  const [kind = '', cronJobName] = from.split('/')
  const resource = findNamed(await session().served(), kind.toLowerCase())
  if (resource?.kind !== 'CronJob' || cronJobName === undefined)
    throw new Error('from must be an existing cronjob')
  const { client, namespace } = session()
  const { metadata, spec } = await client.get<CronJob>(resource.ref, namespace, cronJobName)
  const { jobTemplate } = spec
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      annotations: {
        ...jobTemplate.metadata?.annotations,
        'cronjob.kubernetes.io/instantiate': 'manual',
      },
      ...(jobTemplate.metadata?.labels === undefined
        ? {}
        : { labels: jobTemplate.metadata.labels }),
      ownerReferences: [
        {
          apiVersion: 'batch/v1',
          kind: 'CronJob',
          name: metadata.name,
          uid: metadata.uid,
          controller: true,
        },
      ],
    },
    spec: jobTemplate.spec,
  }
}

export const workloadGenerators: readonly Generator[] = [
  {
    words: 'deployment',
    aliases: ['deploy'],
    about: 'keeps pods of an image running',
    flags: `
image*!: the image; one for each container
replicas#: how many pods; 1 where it is left out
port#: a port that the first container listens on`,
    make: ({ name, rest, flags }) => {
      const images = flags.list('image')
      if (images.length > 1 && rest.length > 0)
        throw new Error('cannot specify multiple --image options and command')
      const port = flags.number('port')
      const labels = { app: name }
      const containers = images.map((image, index) =>
        given({
          name: containerName(image),
          image,
          command: rest,
          ports: index === 0 && port !== undefined ? [{ containerPort: port }] : undefined,
        }),
      )
      return {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name, labels },
        spec: {
          replicas: flags.number('replicas') ?? 1,
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { containers } },
        },
      }
    },
  },
  {
    words: 'job',
    about: 'runs a program until it has succeeded',
    flags: `
image: the image
from: cronjob/NAME: what that cronjob would run`,
    make: async (request) => {
      const { name, rest, flags } = request
      const hasFrom = flags.text('from') !== undefined
      if ((flags.text('image') === undefined) !== hasFrom)
        throw new Error('either --image or --from must be specified')
      if (hasFrom && rest.length > 0) throw new Error('cannot specify --from and command')
      if (hasFrom) return jobOfCronJob(request)
      return {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name },
        spec: { template: { spec: podSpec(request, 'Never') } },
      }
    },
  },
  {
    words: 'cronjob',
    aliases: ['cj'],
    about: 'runs a program again and again',
    flags: `
image!: the image
schedule!: when, as the five fields of cron
restart: OnFailure or Never`,
    make: (request) => ({
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: request.name },
      spec: {
        schedule: request.flags.text('schedule'),
        jobTemplate: {
          metadata: { name: request.name },
          spec: {
            template: { spec: podSpec(request, request.flags.text('restart') ?? 'OnFailure') },
          },
        },
      },
    }),
  },
]
