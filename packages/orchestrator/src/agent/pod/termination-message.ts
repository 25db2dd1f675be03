// The last words of a container: what it wrote into its message file, or, when it failed without a word and its policy asks for it, the
// end of its log. The file is one of each container's own; where terminationMessagePath is not below a volume, a link in the pod's root
// folder leads to it.
import { constants } from 'node:fs'
import { mkdir, open, rm, writeFile } from 'node:fs/promises'
import { dirname, relative } from 'node:path'
import type { Container } from '../../resources/pod-spec/pod-spec.ts'
import { inside, replaceLink } from '../config/paths.ts'
import { readLog } from '../logs/log-reader.ts'
import type { PodFiles } from './pod-files.ts'

const messageBytesMax = 4096
const logBytesMax = 2048
const logLinesMax = 80
const defaultPath = '/dev/termination-log'

/** In the environment of the container: where its message is read from. */
export const messageVariable = 'BALSA_TERMINATION_LOG'

/** Where a container's message is read from. */
export const messagePath = (container: Container, files: PodFiles): string => {
  const path = linkPath(container, files)
  const isInVolume = (container.volumeMounts ?? []).some(
    ({ mountPath }) => !relative(inside(files.rootDir, mountPath), path).startsWith('..'),
  )
  return isInVolume ? path : files.messagePath(container.name)
}

/** An empty file for the next run. */
export async function prepareMessage(container: Container, files: PodFiles): Promise<void> {
  const path = messagePath(container, files)
  const link = linkPath(container, files)
  await rm(path, { force: true })
  if (path === link || link === files.rootDir) return
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await writeFile(path, '', { mode: 0o600 })
  await mkdir(dirname(link), { recursive: true })
  await replaceLink(link, path)
}

/** Of a run that has ended, its log complete; undefined: it said nothing. */
export async function terminationMessage(
  container: Container,
  files: PodFiles,
  run: { readonly exitCode: number; readonly logPath: string },
): Promise<string | undefined> {
  const message = await readEnd(messagePath(container, files))
  if (message !== '') return message
  if (container.terminationMessagePolicy !== 'FallbackToLogsOnError' || run.exitCode === 0) {
    return undefined
  }
  const end = await endOfLog(run.logPath)
  return end === '' ? undefined : end
}

const linkPath = (container: Container, { rootDir }: PodFiles): string => {
  const path = container.terminationMessagePath ?? ''
  return inside(rootDir, path === '' ? defaultPath : path)
}

/** The container may have put anything there: only a plain file is read, and only its end. */
async function readEnd(path: string): Promise<string> {
  let file
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch {
    return ''
  }
  try {
    const stat = await file.stat()
    if (!stat.isFile()) return ''
    const bytes = Buffer.alloc(Math.min(stat.size, messageBytesMax))
    const { bytesRead } = await file.read(bytes, 0, bytes.length, stat.size - bytes.length)
    return bytes.toString('utf8', 0, bytesRead)
  } finally {
    await file.close()
  }
}

async function endOfLog(logPath: string): Promise<string> {
  const options = {
    follow: false,
    timestamps: false,
    tailLines: logLinesMax,
    sinceMs: undefined,
    limitBytes: undefined,
  }
  let end: Buffer = Buffer.alloc(0)
  for await (const text of readLog(logPath, options, undefined, new AbortController().signal)) {
    const all = Buffer.concat([end, text])
    end = all.subarray(Math.max(0, all.length - logBytesMax))
  }
  return end.toString('utf8')
}
