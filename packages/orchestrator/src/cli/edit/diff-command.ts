// `balsa diff`: what `balsa apply` would change, as told by diff(1) or $KUBECTL_EXTERNAL_DIFF. Exit code 0: nothing, 1: something, more: a failure.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { ApiError } from '../../client/api-client.ts'
import { objectPath } from '../../client/http-api-client.ts'
import type { KubeObject } from '../../resources/object.ts'
import { ApiSession, type SessionOptions } from '../api-session.ts'
import { lastAppliedKey, placed, triedApply } from '../apply-command.ts'
import type { ServedResource } from '../discovery.ts'
import { readManifests } from '../manifest-files.ts'
import { yamlText } from '../print/output-form.ts'
import { failureText } from '../verb-failure.ts'
import { withoutManagedFields } from '../without-managed-fields.ts'

interface DiffOptions extends SessionOptions {
  readonly filename?: readonly string[]
  readonly showManagedFields?: boolean
}

export const registerDiffCommand = (
  program: Command,
  withSession: (command: Command) => Command,
): void => {
  withSession(program.command('diff'))
    .description('show what apply would change')
    .option('-f, --filename <path...>', 'manifests: files, folders, or - for stdin')
    .option('--show-managed-fields', 'who owns which field too')
    .action(async (options: DiffOptions) => {
      try {
        process.exitCode = await diff(options)
      } catch (reason) {
        process.stderr.write(`${failureText(reason)}\n`)
        // 1 says that there are differences.
        process.exitCode = 2
      }
    })
}

const diff = async (options: DiffOptions): Promise<number> => {
  if (options.filename === undefined) throw new Error('must specify one of -f and -k')
  const manifests = readManifests(options.filename)
  using session = new ApiSession(options)
  const served = await session.served()
  const folder = mkdtempSync(join(tmpdir(), 'balsa-diff-'))
  try {
    const [live, merged] = ['LIVE', 'MERGED'].map((name) => join(folder, name))
    for (const each of [live, merged]) mkdirSync(each ?? '', { mode: 0o700 })
    for (const manifest of manifests) {
      const { resource, object } = placed(manifest, { session, served, asked: options.namespace })
      const before = await current(session, resource, object)
      const after = await triedApply(session, resource, { source: manifest.source, object })
      const file = fileName(resource, object)
      const isSecret = resource.kind === 'Secret' && resource.ref.group === ''
      const write = (place: string | undefined, value: unknown, other: unknown): void => {
        const plain = withoutLastApplied(value)
        const masked = isSecret ? withoutSecrets(plain, other, place === live) : plain
        const shown = options.showManagedFields === true ? masked : withoutManagedFields(masked)
        const text = value === undefined ? '' : yamlText(shown)
        writeFileSync(join(place ?? '', file), text, { mode: 0o600 })
      }
      write(live, before, after)
      write(merged, after, before)
    }
    return runDiff(live ?? '', merged ?? '')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const current = async (
  session: ApiSession,
  { ref }: ServedResource,
  { metadata }: KubeObject,
): Promise<unknown> => {
  try {
    const path = objectPath(ref, metadata.namespace, metadata.name ?? '')
    return await session.transport.json({ method: 'GET', path })
  } catch (reason) {
    if (reason instanceof ApiError && reason.code === 404) return undefined
    throw reason
  }
}

const fileName = ({ ref, kind }: ServedResource, { metadata }: KubeObject): string =>
  [
    ...(ref.group === '' ? [] : [ref.group]),
    ref.version,
    kind,
    metadata.namespace ?? '',
    metadata.name ?? '',
  ]
    .join('.')
    .replaceAll('/', '_')

/** What the manifest remembers of itself would tell every difference twice. */
const withoutLastApplied = (value: unknown): unknown => {
  const { metadata } = (value ?? {}) as Partial<KubeObject>
  if (metadata?.annotations === undefined) return value
  const { [lastAppliedKey]: _text, ...annotations } = metadata.annotations
  return { ...(value as object), metadata: { ...metadata, annotations } }
}

/** Values of secrets are not shown; that they differ is. */
const withoutSecrets = (value: unknown, other: unknown, isBefore: boolean): unknown => {
  const dataOf = (each: unknown): Readonly<Record<string, string>> =>
    (each as { readonly data?: Readonly<Record<string, string>> } | undefined)?.data ?? {}
  if (value === undefined || Object.keys(dataOf(value)).length === 0) return value
  const others = dataOf(other)
  const data = Object.entries(dataOf(value)).map(([key, text]) => {
    const isSame = others[key] === undefined || others[key] === text
    return [key, isSame ? '***' : `*** (${isBefore ? 'before' : 'after'})`]
  })
  return { ...(value as object), data: Object.fromEntries(data) as unknown }
}

const runDiff = (live: string, merged: string): number => {
  const [program = 'diff', ...words] = (process.env['KUBECTL_EXTERNAL_DIFF'] ?? 'diff -u -N').split(
    /\s+/,
  )
  const flags = words.filter((word) => /^[a-zA-Z0-9-]+$/.test(word))
  const { error, status, stdout, stderr } = spawnSync(program, [...flags, live, merged])
  if (error !== undefined)
    throw new Error(`executable file not found in $PATH: ${program}`, { cause: error })
  process.stdout.write(stdout)
  process.stderr.write(stderr)
  if (status !== null && status > 1) throw new Error(`${program} ended with ${status}`)
  return status ?? 2
}
