// Reads manifests: files, folders and stdin, several documents each.
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Manifest, parseManifests } from '../client/parse-manifests.ts'

const manifestExtensions = ['.yaml', '.yml', '.json']
const manifestSizeBytesMax = 32 * 1024 * 1024
const manifestsMax = 10_000
const stdinDescriptor = 0

/** Throws Error with one line: which file, and why. */
export const readManifests = (paths: readonly string[]): Manifest[] => {
  const manifests = paths
    .flatMap(filesOf)
    .flatMap(({ source, text }) => parseManifests(text, source))
  if (manifests.length > manifestsMax) throw new Error(`more than ${manifestsMax} objects at once`)
  if (manifests.length === 0) throw new Error('no objects passed to apply')
  return manifests
}

const filesOf = (path: string): { source: string; text: string }[] => {
  if (path === '-') return [{ source: 'STDIN', text: readFileSync(stdinDescriptor, 'utf8') }]
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined) throw new Error(`the path ${JSON.stringify(path)} does not exist`)
  if (!stats.isDirectory()) return [readText(path)]
  const names = readdirSync(path).toSorted()
  return names
    .filter((name) => manifestExtensions.some((extension) => name.endsWith(extension)))
    .map((name) => readText(join(path, name)))
}

const readText = (path: string): { source: string; text: string } => {
  if (statSync(path).size > manifestSizeBytesMax) {
    throw new Error(`${path} is larger than ${manifestSizeBytesMax} bytes`)
  }
  return { source: path, text: readFileSync(path, 'utf8') }
}
