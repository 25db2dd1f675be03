// snapshot save, status and restore: etcdctl's, for files of etcd and of Balsa alike.
import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import type { Command } from 'commander'
import { downloadSnapshot } from '../../client/download-snapshot.ts'
import { SnapshotFile, type SnapshotStatus } from '../../etcd-file/snapshot-file.ts'
import { restoreSnapshot } from '../../member/restore-snapshot.ts'
import { connectOptionsOf, endpointsOf } from '../kv/kv-options.ts'
import type { KvGlobals } from '../kv/kv-options.ts'
import { printJson, printLine } from '../kv/kv-output.ts'
import type { JsonObject } from '../kv/kv-output.ts'
import { log } from './log-line.ts'
import { ProgressBar } from './progress-bar.ts'
import {
  addRestoreFlags,
  logRestored,
  logRestoring,
  restoreOptionsOf,
  type RestoreFlags,
} from './restore-flags.ts'
import { sizeText } from './size-text.ts'

interface Restore extends RestoreFlags {
  readonly skipHashCheck?: boolean
}

export function registerSnapshotCommands(kv: Command): void {
  const snapshot = kv.command('snapshot').description('copies of all data of one member')
  snapshot
    .command('save')
    .description('store a snapshot of the one server given by --endpoints in a file')
    .argument('<filename>')
    .action((file: string, _own: object, command: Command) =>
      save(file, command.optsWithGlobals<KvGlobals>()),
    )
  snapshot
    .command('status')
    .description('print hash, revision, keys and size of a snapshot, after checking every page')
    .argument('<filename>')
    .action((file: string, _own: object, command: Command) =>
      printStatus(statusOf(file), command.optsWithGlobals<KvGlobals>().writeOut),
    )
  const restoreCommand = snapshot
    .command('restore')
    .description('make a data folder from a snapshot, for a member of a new cluster')
    .argument('<filename>')
  addRestoreFlags(restoreCommand)
    .option('--skip-hash-check', 'for a file that was copied from a data folder, without a hash')
    .action((file: string, own: Restore) => restore(file, own))
}

async function save(path: string, globals: KvGlobals): Promise<void> {
  const endpoints = endpointsOf(globals)
  if (endpoints.length > 1) {
    throw new Error(
      `snapshot must be requested to one selected node, not multiple [${endpoints.join(' ')}]`,
    )
  }
  const part = `${path}.part`
  const file = await open(part, 'w', 0o600).catch((reason: unknown) => {
    throw new Error(`could not open ${part} (${messageOf(reason)})`)
  })
  log('created temporary db file', { path: part })
  const startedAt = performance.now()
  const endpoint = endpoints[0] ?? ''
  log('fetching snapshot', { endpoint })
  let sizeBytes = 0
  try {
    sizeBytes = await download(file, path, globals)
    await file.sync()
  } catch (reason) {
    await rm(part, { force: true })
    throw reason
  } finally {
    await file.close()
  }
  const took = (performance.now() - startedAt) / 1000
  log('fetched snapshot', { endpoint, size: sizeText(sizeBytes), took })
  await rename(part, path)
  log('saved', { path })
  printLine(`Snapshot saved at ${path}`)
}

/** Returns how much it was. */
async function download(file: FileHandle, path: string, globals: KvGlobals): Promise<number> {
  using progress = new ProgressBar(`saving ${path}`)
  let sizeBytes = 0
  for await (const { bytes, remainingBytes } of downloadSnapshot(connectOptionsOf(globals))) {
    await file.write(bytes)
    sizeBytes += bytes.length
    progress.show(sizeBytes, sizeBytes + remainingBytes, sizeText(sizeBytes))
  }
  return sizeBytes
}

function statusOf(path: string): SnapshotStatus {
  using file = openSnapshot('stat', path)
  try {
    return file.status()
  } catch (reason) {
    const text = messageOf(reason)
    if (text === 'invalid database') throw reason
    throw new Error(`snapshot file integrity check failed. 1 errors found.\n${text}`, {
      cause: reason,
    })
  }
}

/** As etcdctl: one line, a table, fields or JSON. */
function printStatus(status: SnapshotStatus, format: string): void {
  const { hash, revision, totalKey, totalSize } = status
  if (format === 'json') printJson(status as unknown as JsonObject)
  else if (format === 'fields') {
    const fields = { Hash: hash, Revision: revision, Keys: totalKey, Size: totalSize }
    for (const [name, value] of Object.entries(fields)) printLine(`"${name}" : ${value}`)
  } else {
    const row = [hash.toString(16), String(revision), String(totalKey), sizeText(totalSize)]
    if (format === 'table') printTable(['HASH', 'REVISION', 'TOTAL KEYS', 'TOTAL SIZE'], row)
    else printLine(row.join(', '))
  }
}

function printTable(head: readonly string[], row: readonly string[]): void {
  const widths = head.map((name, i) => Math.max(name.length, row[i]?.length ?? 0))
  const line = `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+`
  const print = (cells: readonly string[]): void => {
    printLine(`|${cells.map((cell, i) => ` ${cell.padStart(widths[i] ?? 0)} `).join('|')}|`)
  }
  printLine(line)
  print(head.map((name, i) => centered(name, widths[i] ?? 0)))
  printLine(line)
  print(row)
  printLine(line)
}

function centered(text: string, width: number): string {
  return text.padStart(Math.ceil((width + text.length) / 2)).padEnd(width)
}

async function restore(path: string, own: Restore): Promise<void> {
  const options = restoreOptionsOf(own)
  logRestoring(path, own)
  using file = openSnapshot('open', path)
  using progress = new ProgressBar(`restoring ${path}`)
  if (own.skipHashCheck !== true) {
    file.checkHash((done) => progress.show(done, file.sizeBytes, 'checking the hash'))
  }
  const restored = await restoreSnapshot(file, {
    ...options,
    onProgress: (rows) => progress.show(rows, undefined, `${rows} rows`),
  })
  logRestored(path, own, restored)
}

function openSnapshot(action: string, path: string): SnapshotFile {
  try {
    return new SnapshotFile(path)
  } catch (reason) {
    const isMissing = reason instanceof Error && 'code' in reason && reason.code === 'ENOENT'
    if (!isMissing) throw reason
    throw new Error(`${action} ${path}: no such file or directory`, { cause: reason })
  }
}

function messageOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason)
}
