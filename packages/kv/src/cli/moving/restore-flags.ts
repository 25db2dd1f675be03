// The flags of everything that makes a data folder: etcdctl's of `snapshot restore`.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { idText } from '../../member/identity.ts'
import {
  planRestore,
  type RestoredMember,
  type RestoreOptions,
} from '../../member/restore-snapshot.ts'
import { wholeNumber } from '../kv/kv-options.ts'
import { log } from './log-line.ts'

export interface RestoreFlags {
  readonly dataDir?: string
  readonly walDir?: string
  readonly name: string
  readonly initialCluster?: string
  readonly initialClusterToken: string
  readonly initialAdvertisePeerUrls: string
  readonly bumpRevision: number
  readonly markCompacted?: boolean
}

const peerUrl = 'http://localhost:2380'
const token = 'etcd-cluster'

export function addRestoreFlags(command: Command): Command {
  return command
    .option('--data-dir <path>', 'the folder to make; NAME.etcd if left out')
    .option('--wal-dir <path>', 'taken for the sake of scripts: the log is kept in the data folder')
    .option('--name <name>', 'of this member', 'default')
    .option('--initial-cluster <list>', 'NAME=URL of all first members; this one alone if left out')
    .option('--initial-cluster-token <text>', 'makes the ids of the cluster its own', token)
    .option('--initial-advertise-peer-urls <list>', 'where the others reach this member', peerUrl)
    .option('--bump-revision <count>', 'add to the newest revision', wholeNumber, 0)
    .option('--mark-compacted', 'end watches that begin before the new revision')
}

/** Throws if they contradict each other, or what would be made is there. */
export function restoreOptionsOf(flags: RestoreFlags): RestoreOptions {
  const { name, initialCluster, initialClusterToken, bumpRevision, markCompacted = false } = flags
  const options = {
    dataDir: dataDirOf(flags),
    name,
    initialClusterToken,
    initialAdvertisePeerUrls: flags.initialAdvertisePeerUrls.split(','),
    ...(initialCluster === undefined ? {} : { initialCluster }),
    bumpRevision,
    markCompacted,
  }
  planRestore(options)
  if (flags.walDir !== undefined && existsSync(flags.walDir)) {
    throw new Error(`wal-dir ${JSON.stringify(flags.walDir)} exists`)
  }
  return options
}

export function logRestoring(path: string, flags: RestoreFlags): void {
  log('restoring snapshot', placesOf(path, flags))
}

export function logRestored(path: string, flags: RestoreFlags, restored: RestoredMember): void {
  for (const [id, peerUrls] of restored.peerUrlsById) {
    log('added member', {
      'cluster-id': restored.clusterId.toString(16),
      'local-member-id': idText(restored.id),
      'added-peer-id': id,
      'added-peer-peer-urls': peerUrls,
    })
  }
  log('restored snapshot', placesOf(path, flags))
}

function placesOf(path: string, flags: RestoreFlags): Readonly<Record<string, string>> {
  const dataDir = dataDirOf(flags)
  const walDir = flags.walDir ?? join(dataDir, 'member', 'wal')
  return { path, 'wal-dir': walDir, 'data-dir': dataDir, 'snap-dir': join(dataDir, 'member/snap') }
}

function dataDirOf({ dataDir, name }: RestoreFlags): string {
  return dataDir ?? `${name}.etcd`
}
