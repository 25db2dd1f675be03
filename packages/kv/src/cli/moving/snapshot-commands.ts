// snapshot save, status and restore: etcdctl's, for files of etcd and of Balsa alike.
import { existsSync } from 'node:fs'
import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { downloadSnapshot } from '../../client/download-snapshot.ts'
import { SnapshotFile, type SnapshotStatus } from '../../etcd-file/snapshot-file.ts'
import { idText } from '../../member/identity.ts'
import { planRestore, restoreSnapshot } from '../../member/restore-snapshot.ts'
import { connectOptionsOf, endpointsOf, wholeNumber } from '../kv/kv-options.ts'
import type { KvGlobals } from '../kv/kv-options.ts'
import { printJson, printLine } from '../kv/kv-output.ts'
import type { JsonObject } from '../kv/kv-output.ts'
import { ProgressBar } from './progress-bar.ts'
import { sizeText } from './size-text.ts'

interface Restore {
  readonly dataDir?: string
  readonly walDir?: string
  readonly name: string
  readonly initialCluster?: string
  readonly initialClusterToken: string
  readonly initialAdvertisePeerUrls: string
  readonly skipHashCheck?: boolean
  readonly bumpRevision: number
  readonly markCompacted?: boolean
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
  const peerUrl = 'http://localhost:2380'
  snapshot
    .command('restore')
    .description('make a data folder from a snapshot, for a member of a new cluster')
    .argument('<filename>')
    .option('--data-dir <path>', 'the folder to make; NAME.etcd if left out')
    .option('--wal-dir <path>', 'taken for the sake of scripts: the log is kept in the data folder')
    .option('--name <name>', 'of this member', 'default')
    .option('--initial-cluster <list>', 'NAME=URL of all first members; this one alone if left out')
    .option(
      '--initial-cluster-token <text>',
      'makes the ids of the cluster its own',
      'etcd-cluster',
    )
    .option('--initial-advertise-peer-urls <list>', 'where the others reach this member', peerUrl)
    .option('--skip-hash-check', 'for a file that was copied from a data folder, without a hash')
    .option('--bump-revision <count>', 'add to the newest revision', wholeNumber, 0)
    .option('--mark-compacted', 'end watches that begin before the new revision')
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
  const { name, initialCluster, initialClusterToken, bumpRevision, markCompacted = false } = own
  const dataDir = own.dataDir ?? `${name}.etcd`
  const walDir = own.walDir ?? join(dataDir, 'member', 'wal')
  const options = {
    dataDir,
    name,
    initialClusterToken,
    initialAdvertisePeerUrls: own.initialAdvertisePeerUrls.split(','),
    ...(initialCluster === undefined ? {} : { initialCluster }),
    bumpRevision,
    markCompacted,
  }
  planRestore(options)
  if (own.walDir !== undefined && existsSync(walDir)) {
    throw new Error(`wal-dir ${JSON.stringify(walDir)} exists`)
  }
  const places = {
    path,
    'wal-dir': walDir,
    'data-dir': dataDir,
    'snap-dir': join(dataDir, 'member/snap'),
  }
  log('restoring snapshot', places)
  using file = openSnapshot('open', path)
  using progress = new ProgressBar(`restoring ${path}`)
  if (own.skipHashCheck !== true) {
    file.checkHash((done) => progress.show(done, file.sizeBytes, 'checking the hash'))
  }
  const restored = await restoreSnapshot(file, {
    ...options,
    onProgress: (rows) => progress.show(rows, undefined, `${rows} rows`),
  })
  for (const [id, peerUrls] of restored.peerUrlsById) {
    log('added member', {
      'cluster-id': restored.clusterId.toString(16),
      'local-member-id': idText(restored.id),
      'added-peer-id': id,
      'added-peer-peer-urls': peerUrls,
    })
  }
  log('restored snapshot', places)
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

/** A line as etcdctl writes them, for scripts that look for it. */
function log(msg: string, fields: Readonly<Record<string, unknown>>): void {
  const line = { level: 'info', ts: Date.now() / 1000, caller: 'balsa/snapshot', msg, ...fields }
  process.stderr.write(`${JSON.stringify(line)}\n`)
}

function messageOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason)
}
