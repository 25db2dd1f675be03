#!/usr/bin/env node
// The `balsa` command. Its code is in some 900 modules, and to read them one by one is more than half of a start: scripts/bundle.mjs puts them into few
// files. Those are taken where they are up to date, else (a build by tsc alone) the modules.
import { readFileSync, statSync } from 'node:fs'

/** Of the bundle: paths from its folder to the build records it was made after, and their times. A published package has no such records. */
type MadeAfter = Readonly<Record<string, number>>

const folder = new URL('../bundle/', import.meta.url)

function isMissing(reason: unknown): boolean {
  return reason instanceof Error && 'code' in reason && reason.code === 'ENOENT'
}

function isBundleCurrent(): boolean {
  try {
    const madeAfter = JSON.parse(
      readFileSync(new URL('made-after.json', folder), 'utf8'),
    ) as MadeAfter
    return Object.entries(madeAfter).every(([path, time]) => {
      const record = statSync(new URL(path, folder), { throwIfNoEntry: false })
      return record === undefined || record.mtimeMs === time
    })
  } catch (reason) {
    if (isMissing(reason)) return false
    throw reason
  }
}

const bundle: string = new URL('balsa-command.js', folder).href
await (isBundleCurrent() ? import(bundle) : import('./balsa-command.ts'))
