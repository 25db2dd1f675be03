// Opens log and metadata of a member together. If the log is damaged, the metadata decide: a sole voter refuses to start, because
// nobody could give back what it would lose. A member of a larger cluster sets the damage aside, goes on with what comes before
// it, and is recovering until a leader has made it whole. It says so on disk before it lets go of anything.
import type { Membership } from '../core/types.ts'
import { RaftError } from '../errors.ts'
import { cutTail, setAside } from './broken-files.ts'
import { LogShape } from './log-shape.ts'
import { isKnownSoleVoter, isSameHardState, mergeHardState } from './member-state.ts'
import { MetadataFile, type FoundMetadata } from './metadata-file.ts'
import type { MemberState } from './metadata-format.ts'
import { beginLog } from './new-log.ts'
import { encodeRecord, type RecordItem } from './record-body.ts'
import { recoverSegments, type OpenedLog, type RecoveredLog } from './recovery.ts'
import { segmentHeaderSizeBytes, segmentName, segmentSequence } from './segment-format.ts'
import type { Segment } from './segment.ts'
import { findStrayMetadata } from './stray-metadata.ts'
import type { WalOptions } from './wal.ts'

/** Damage at more than one place of a log is set aside place by place; after that, all of it. */
const isolationPassesMax = 4

export interface OpenedWal {
  readonly opened: OpenedLog
  readonly metadata: MetadataFile
  readonly shape: LogShape
}

export async function openLog(options: WalOptions, segmentSizeBytes: number): Promise<OpenedWal> {
  const { fileSystem, metadataPath } = options
  const found = await MetadataFile.open(fileSystem, metadataPath)
  try {
    if (found !== undefined) checkOwner(options, found.state)
    const opened = await findLog(options, segmentSizeBytes, found)
    return await settle(options, opened, found)
  } catch (reason) {
    await found?.file.close()
    throw reason
  }
}

function checkOwner(
  { clusterId, nodeId, isWitness, metadataPath }: WalOptions,
  state: MemberState,
): void {
  const options = { file: metadataPath, offset: 0 }
  if (state.clusterId !== clusterId || state.nodeId !== nodeId) {
    const text =
      `Metadata ${metadataPath} belong to member ${state.nodeId} of cluster ${state.clusterId}, ` +
      `not to member ${nodeId} of cluster ${clusterId}`
    throw new RaftError('CLUSTER_MISMATCH', text, options)
  }
  if (isWitness !== undefined && state.isWitness !== isWitness) {
    const text = `Member ${nodeId} ${state.isWitness ? 'is a witness' : 'is no witness'}, and cannot change that`
    throw new RaftError('CLUSTER_MISMATCH', text, options)
  }
}

async function findLog(
  options: WalOptions,
  segmentSizeBytes: number,
  found: FoundMetadata | undefined,
): Promise<OpenedLog> {
  try {
    const logEnd = found?.state.logEnd
    const opened = await recoverSegments({ ...options, segmentSizeBytes, logEnd })
    if (opened !== undefined) {
      await closingOnError(opened.segment, () => mustNotBeMisplaced(opened, found))
      return opened
    }
    if (found === undefined && options.hasData !== true) {
      return await beginLog(options, { sequence: 1, segmentSizeBytes })
    }
    const { directory } = options
    const text = `WAL in ${directory} is missing, but the member has data`
    throw new RaftError('CORRUPT', text, { file: directory, offset: 0 })
  } catch (reason) {
    if (!isCorrupt(reason) || options.onDamage !== 'recover' || found === undefined) throw reason
    const known = { ...found, state: await newestState(options, found, reason) }
    if (!canRecover(known)) throw reason
    return await isolate({ ...options, segmentSizeBytes }, known, reason)
  }
}

/** The last record may have gone into the metadata instead. */
async function mustNotBeMisplaced(
  { segment }: OpenedLog,
  found: FoundMetadata | undefined,
): Promise<void> {
  const { path, sequence, endOffset: offset, chain } = segment
  const at = await found?.file.findRecord({ sequence, offset }, chain)
  if (at === undefined) return
  const text = `WAL record in ${path} at offset ${offset} was written into the metadata`
  throw new RaftError('CORRUPT', text, { file: path, offset })
}

async function closingOnError(segment: Segment, action: () => Promise<void>): Promise<void> {
  try {
    await action()
  } catch (reason) {
    await segment.close()
    throw reason
  }
}

/** The newest copy of the metadata may be what damaged the log. */
async function newestState(
  { fileSystem, directory }: WalOptions,
  { file: metadata, state }: FoundMetadata,
  { file: path = '', offset = 0 }: RaftError,
): Promise<MemberState> {
  const names = await fileSystem.list(directory)
  if (!names.includes(path.slice(directory.length + 1))) return state
  const file = await fileSystem.open(path, 'read')
  try {
    const stray = await findStrayMetadata(file, offset)
    return stray !== undefined && stray.count > metadata.count ? stray.state : state
  } finally {
    await file.close()
  }
}

function isCorrupt(reason: unknown): reason is RaftError {
  return reason instanceof RaftError && reason.code === 'CORRUPT'
}

/** The term and the vote must be known for sure, and somebody else must hold the entries. */
function canRecover({ isWhole, state }: FoundMetadata): boolean {
  return isWhole && (!state.isSoleVoter || state.isRecovering)
}

type IsolationOptions = WalOptions & { readonly segmentSizeBytes: number }

async function isolate(
  options: IsolationOptions,
  { file, state }: FoundMetadata,
  reason: RaftError,
): Promise<OpenedLog> {
  await file.writeBoth({ ...state, isRecovering: true })
  const isolated = []
  let damage = reason
  for (let pass = 1; ; pass++) {
    isolated.push({ file: damage.file ?? options.directory, offset: damage.offset ?? 0 })
    await setDamageAside(options, damage, pass < isolationPassesMax)
    try {
      const sequence = await nextSequence(options)
      const opened =
        (await recoverSegments(options)) ?? (await beginLog(options, { ...options, sequence }))
      return { ...opened, log: { ...opened.log, isNew: false, isolated } }
    } catch (next) {
      if (!isCorrupt(next) || pass > isolationPassesMax) throw next
      damage = next
    }
  }
}

/** The damaged segment from the damage on, and the later ones, the newest first: what is left is a log at any moment. */
async function setDamageAside(
  { fileSystem, directory }: IsolationOptions,
  { file: path = '', offset = 0 }: RaftError,
  isPrefixKept: boolean,
): Promise<void> {
  const damaged = isPrefixKept ? (segmentSequence(path.slice(directory.length + 1)) ?? 0) : 0
  // A segment is of no use without its first record.
  const isCut = offset > segmentHeaderSizeBytes
  const names: string[] = []
  for (const name of await fileSystem.list(directory)) {
    const sequence = segmentSequence(name)
    if (sequence === undefined || sequence < damaged) continue
    if (sequence > damaged || !isCut) names.push(name)
  }
  await setAside(fileSystem, directory, names.reverse())
  if (!isPrefixKept || !isCut || damaged === 0) return
  const file = await fileSystem.open(`${directory}/${segmentName(damaged)}`, 'write')
  try {
    const to = await file.size()
    if (to > offset) await cutTail(fileSystem, directory, { file, path, from: offset, to })
  } finally {
    await file.close()
  }
}

/** No segment that was ever there has it: what is left of an old one is never taken for a new record. */
async function nextSequence({ fileSystem, directory }: IsolationOptions): Promise<number> {
  let last = 0
  for (const name of await fileSystem.list(directory)) {
    last = Math.max(last, segmentSequence(name.slice(0, segmentName(1).length)) ?? 0)
  }
  return last + 1
}

/** Makes log and metadata say the same, both durable. */
async function settle(
  options: WalOptions,
  opened: OpenedLog,
  found: FoundMetadata | undefined,
): Promise<OpenedWal> {
  const { log, segment } = opened
  const hardState = mergeHardState(log.hardState, found?.file.state)
  const generation = Math.max(log.generation, found?.state.generation ?? 0)
  const shape = new LogShape(log.base)
  shape.append(log.entries)
  const items: RecordItem[] = []
  if (!isSameHardState(hardState, log.hardState)) items.push({ type: 'hardState', hardState })
  if (generation !== log.generation) items.push({ type: 'generation', generation })
  if (items.length > 0) await segment.write(encodeRecord(items))
  const state = stateOf(
    options,
    { ...log, hardState, generation },
    {
      membership: shape.membershipAt(shape.lastIndex),
      logEnd: { sequence: segment.sequence, offset: segment.endOffset },
      isWitness: options.isWitness ?? found?.state.isWitness ?? false,
    },
  )
  const metadata = await writeState(options, state, found)
  return { opened: { ...opened, log: { ...log, hardState, generation } }, metadata, shape }
}

function stateOf(
  { clusterId, nodeId }: WalOptions,
  { hardState, generation }: RecoveredLog,
  rest: Pick<MemberState, 'logEnd' | 'isWitness'> & { readonly membership: Membership },
): MemberState {
  const { term, vote } = hardState
  const { logEnd, isWitness, membership } = rest
  const isSoleVoter = isKnownSoleVoter(hardState, membership, { nodeId })
  const isRecovering = hardState.isRecovering === true
  return { clusterId, nodeId, term, vote, isRecovering, isWitness, isSoleVoter, generation, logEnd }
}

/** What a killed process has written may still be lost, so it is always written once more. */
async function writeState(
  { fileSystem, metadataPath }: WalOptions,
  state: MemberState,
  found: FoundMetadata | undefined,
): Promise<MetadataFile> {
  if (found === undefined) return await MetadataFile.create(fileSystem, metadataPath, state)
  if (found.isWhole) await found.file.write(state)
  else await found.file.writeBoth(state)
  return found.file
}
