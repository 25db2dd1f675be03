// `balsa edit`: an object in one's editor, and what was changed there as a patch. What the server refuses is opened again.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { ApiError } from '../../client/api-client.ts'
import { objectPath } from '../../client/http-api-client.ts'
import { parseManifests } from '../../client/parse-manifests.ts'
import { createApplyPatch, mergeKeysOf, resourceTypes } from '../../resources/index.ts'
import type { Json, KubeObject } from '../../resources/object.ts'
import { ApiSession } from '../api-session.ts'
import { dryRunQuery, type NewObjectOptions, withNewObject } from '../create/new-object.ts'
import { printResult, yamlText } from '../print/output-form.ts'
import { type SelectedObject, selectedObjects } from '../selected-objects.ts'
import { failureText, runVerb } from '../verb-failure.ts'
import { withoutManagedFields } from '../without-managed-fields.ts'

interface EditOptions extends NewObjectOptions {
  readonly filename?: readonly string[]
  readonly subresource?: string
}
type JsonObject = { readonly [key: string]: Json | undefined }

const opening = `# Please edit the object below. Lines beginning with a '#' will be ignored,
# and an empty file will abort the edit. If an error occurs while saving this file will be
# reopened with the relevant failures.
#
`

export const registerEditCommand = (
  program: Command,
  withSession: (command: Command) => Command,
): void => {
  withNewObject(withSession(program.command('edit')))
    .description('change objects in an editor ($KUBE_EDITOR, $EDITOR, or vi)')
    .argument('[words...]', 'RESOURCE NAME..., or RESOURCE/NAME...')
    .option('-f, --filename <path...>', 'what these manifests name; - for stdin')
    .option('--subresource <name>', 'status or scale')
    .action((words: string[], options: EditOptions) => runVerb(() => edit(words, options)))
}

const edit = async (words: readonly string[], options: EditOptions): Promise<void> => {
  using session = new ApiSession(options)
  const { filename, namespace } = options
  const folder = mkdtempSync(join(tmpdir(), 'balsa-edit-'))
  try {
    for (const target of await selectedObjects(session, { words, filename, namespace }))
      await editOne(session, target, { options, path: join(folder, 'edit.yaml') })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const editOne = async (
  session: ApiSession,
  target: SelectedObject,
  { options, path }: { readonly options: EditOptions; readonly path: string },
): Promise<void> => {
  const { resource, namespace, name } = target
  const place = objectPath(resource.ref, namespace, name, options.subresource)
  const current = (await session.transport.json({ method: 'GET', path: place })) as JsonObject
  const before = yamlText(withoutManagedFields(current))
  let shown = opening + before
  let refused = ''
  for (;;) {
    writeFileSync(path, shown, { mode: 0o600 })
    runEditor(path)
    const after = withoutComments(readFileSync(path, 'utf8'))
    if (after.trim() === '') throw new Error('Edit cancelled, saved file was empty.')
    if (after === before) {
      process.stderr.write('Edit cancelled, no changes made.\n')
      return
    }
    // Saved again as it was refused: whoever edits has given up.
    if (after === refused) throw new Error(`Edit cancelled, no valid changes were saved.`)
    try {
      const changed = parseEdited(after)
      const answer = await send(session, { target, place, current, changed }, options)
      printResult({ resource, object: answer as unknown as KubeObject, done: 'edited' }, options)
      return
    } catch (reason) {
      if (reason instanceof ApiError && reason.code === 404) throw reason
      refused = after
      const text = failureText(reason)
      process.stderr.write(`${text}\n`)
      shown = `${opening}${text.replaceAll(/^/gm, '# ')}\n#\n${after}`
    }
  }
}

const withoutComments = (text: string): string =>
  text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')

const parseEdited = (text: string): JsonObject => {
  const [manifest, ...others] = parseManifests(text, 'edited-file')
  if (manifest === undefined || others.length > 0)
    throw new Error('edited-file: one object is wanted')
  return manifest.object as unknown as JsonObject
}

interface Edited {
  readonly target: SelectedObject
  readonly place: string
  readonly current: JsonObject
  readonly changed: JsonObject
}

/** What was changed alone is sent: what others have changed meanwhile stays. */
const send = async (
  session: ApiSession,
  { target, place, current, changed }: Edited,
  options: EditOptions,
): Promise<Json> => {
  const { ref, kind } = target.resource
  const type = resourceTypes.find((one) => one.kind === kind && one.group === ref.group)
  const shown = withoutManagedFields(current) as JsonObject
  const patch = createApplyPatch(
    { lastApplied: shown, modified: changed, current: shown },
    type === undefined ? undefined : mergeKeysOf(type),
  )
  if (patch === undefined) throw new Error('Edit cancelled, no changes made.')
  const form = type === undefined ? 'merge' : 'strategic-merge'
  return session.transport.json({
    method: 'PATCH',
    path: place,
    query: {
      fieldManager: options.fieldManager,
      fieldValidation: 'Strict',
      ...dryRunQuery(options),
    },
    contentType: `application/${form}-patch+json`,
    body: patch,
  })
}

/** Throws Error as kubectl tells it. */
const runEditor = (path: string): void => {
  const { KUBE_EDITOR, EDITOR } = process.env
  const editor = [KUBE_EDITOR, EDITOR].find((one) => one !== undefined && one !== '') ?? 'vi'
  // A line of a shell, as kubectl takes it: editors are named with their flags.
  const { error, status } = spawnSync(`${editor} "$BALSA_EDITED"`, {
    shell: true,
    stdio: 'inherit',
    env: { ...process.env, BALSA_EDITED: path },
  })
  if (error !== undefined || status === 127)
    throw new Error(`unable to launch the editor ${JSON.stringify(editor)}`)
  if (status !== 0) throw new Error(`there was a problem with the editor ${JSON.stringify(editor)}`)
}
