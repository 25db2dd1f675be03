// How far a mirror is, in a small file that a restart reads. Written after what it speaks of is at the destination: what comes twice after a
// crash is put or deleted once more.
import { readFile, rename, writeFile } from 'node:fs/promises'
import { KvError } from '../errors.ts'

export interface MirrorCheckpoint {
  readonly prefix: string
  readonly destinationPrefix: string
  readonly revision: number
}

/** Undefined if there is none. Rejects if the file is no checkpoint, or one of other prefixes. */
export async function readCheckpoint(
  path: string,
  expected: Omit<MirrorCheckpoint, 'revision'>,
): Promise<number | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (reason) {
    if (reason instanceof Error && 'code' in reason && reason.code === 'ENOENT') return undefined
    throw reason
  }
  const found = parse(text)
  if (found === undefined) throw refusal(`--checkpoint ${path} is no checkpoint of a mirror`)
  const { prefix, destinationPrefix, revision } = found
  if (prefix !== expected.prefix || destinationPrefix !== expected.destinationPrefix) {
    const text = `--checkpoint ${path} is of --prefix '${prefix}' and --dest-prefix '${destinationPrefix}'; use these, or another file`
    throw refusal(text)
  }
  return revision
}

/** Durable when it resolves. */
export async function writeCheckpoint(path: string, checkpoint: MirrorCheckpoint): Promise<void> {
  const temporary = `${path}.tmp`
  await writeFile(temporary, `${JSON.stringify(checkpoint)}\n`, { mode: 0o600, flush: true })
  await rename(temporary, path)
}

function parse(text: string): MirrorCheckpoint | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (reason) {
    if (reason instanceof SyntaxError) return undefined
    throw reason
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { prefix, destinationPrefix, revision } = value as Record<string, unknown>
  const isWhole =
    typeof prefix === 'string' &&
    typeof destinationPrefix === 'string' &&
    typeof revision === 'number' &&
    Number.isSafeInteger(revision)
  return isWhole ? { prefix, destinationPrefix, revision } : undefined
}

function refusal(message: string): KvError {
  return new KvError('INTERNAL', { message })
}
