// Puts a member together: tables, state machine, raft, and the wires that listen. In this file alone they all meet.
import {
  nodeClock,
  nodeFileSystem,
  RaftError,
  RaftNode,
  type Clock,
  type FileSystem,
  type NodeId,
  type PeerTls,
  type RaftNodeEvent,
  type RaftNodeOptions,
  type Transport,
} from '@balsa/raft'
import type { ClientListener } from '../api/client-listener.ts'
import { ListenError } from '../api/listen-error.ts'
import type { Backend } from '../backend/backend.ts'
import { LevelBackend } from '../backend/level-backend.ts'
import { MemoryBackend } from '../backend/memory-backend.ts'
import { KvError } from '../errors.ts'
import type { Kv } from '../kv.ts'
import type { Limits } from '../limits.ts'
import { openClientListener } from './client-front.ts'
import { readAuthSettings } from './auth/auth-settings.ts'
import { BcryptPasswords, type Passwords } from './auth/passwords.ts'
import { giveUpDamagedTables } from './corruption-repair.ts'
import { openDataDirectory, tablesFailure } from './data-directory.ts'
import { EmbeddedKv } from './embedded-kv.ts'
import { revokesPerSecondDefault } from '../lease/lessor.ts'
import { idText } from './identity.ts'
import { resolvePlan } from './join-cluster.ts'
import type { LeaderLink } from './lease-keeper.ts'
import { gaugesOf } from './member-gauges.ts'
import { MemberMetrics } from './member-metrics.ts'
import { nodeMemberRandom, randomFraction, type MemberRandom } from './member-random.ts'
import { leaseTtlSecondsMin, type MemberOptions, type MemberPlan } from './member-options.ts'
import type { MemberParts } from './member-parts.ts'
import { MemberCore } from './member.ts'
import { limitsOf, type LiveOptions } from './server-options.ts'
import { MemoryFileSystem } from './memory-file-system.ts'
import { MemberPeers } from './member-peers.ts'
import type { PeerQuestions } from './peer-questions.ts'
import { listenPeers, type PeerServer } from './peer-server.ts'
import { openPeerTls } from './peer-tls-files.ts'
import { KvStateMachine, type CommandResult } from './state-machine.ts'
import { planStorage } from './storage-options.ts'
import { linkWal } from './wal-directory.ts'
import type { MemberApi } from './types.ts'

/** A running member. Close it, or `await using` it. */
export interface Member extends AsyncDisposable {
  readonly id: bigint
  readonly clusterId: bigint
  readonly name: string
  /** Where clients reach it, with real ports; empty without listeners. */
  readonly clientUrls: readonly string[]
  /** The store, used from this process. */
  readonly kv: Kv
  /** What the wires call, as a stranger may use it: for those who bring one of their own. */
  readonly api: MemberApi
  /** Resolves when this member takes part in a cluster that has a quorum. openMember has waited for it if it is alone. */
  ready(): Promise<void>
  /** New limits, quota and rules of compaction hold from now on; those left out are etcd's again. */
  reconfigure(options: LiveOptions): void
  /** Hands the lead over if it leads others, answers what waits, stops. Idempotent. */
  close(): Promise<void>
}

/** Other doors to the world than the real ones, for tests and simulations. */
export interface MemberPorts {
  readonly clock?: Clock
  readonly random?: MemberRandom
  readonly fileSystem?: FileSystem
  /** With one of its own the member listens for no peers. */
  readonly transport?: Transport
  readonly backend?: Backend
  readonly passwords?: Passwords
  /** Who the member is, instead of what its options, its data and the others say. */
  readonly plan?: MemberPlan
  readonly questions?: PeerQuestions
  readonly link?: LeaderLink
  /** Sizes that a simulation makes small, so that it meets their ends. */
  /** Rows written after which the index is saved. */
  readonly indexRowsMax?: number
  readonly raft?: Pick<
    RaftNodeOptions<CommandResult>,
    'catchUpEntries' | 'segmentSizeBytes' | 'limits' | 'createCore'
  >
}

/** More than any --max-request-bytes lets through, less than members take of each other at once. */
const commandSizeBytesMax = 48 * 2 ** 20
/** Smaller than raft's own: the log on disk is about three of them. */
const segmentSizeBytes = 32 * 2 ** 20
/** WAL segments of a member in memory: small, since they are never more than the last checkpoint needs. */
const memorySegmentSizeBytes = 4 * 2 ** 20

/**
 * Opens or creates a member. Without `dataDir` and `memory` it rejects; without listen URLs it is used from this process only.
 * Rejects with an error whose message names the option at fault and the cure.
 */
export async function openMember(options: MemberOptions, ports: MemberPorts = {}): Promise<Member> {
  const { listenPeerUrls = [] } = options
  const peerTls = await openPeerTls(options)
  const tls = peerTls?.tls
  const plan = ports.plan ?? (await resolvePlan(options, tls))
  const onRefused = (error: Error): void => options.onWarning?.(error.message)
  const peers =
    listenPeerUrls.length === 0 || ports.transport !== undefined
      ? undefined
      : await listenPeers(listenPeerUrls, { tls: peerTls, onRefused })
  let storage: MemberStorage | undefined
  let member: OpenMember | undefined
  try {
    storage = await openStorage(options, plan, ports)
    member = await OpenMember.start({ options, plan, ports, storage, peers, tls })
    if (options.initialCorruptCheck === true) await member.storage.corruption.checkAtStart()
    await member.listen(options)
    // Members of a larger cluster may be opened one after the other: the first cannot wait for the second.
    const ready = member.ready()
    if (member.isAlone) await ready
    return member
  } catch (reason) {
    if (member === undefined) {
      await storage?.backend.close()
      await peers?.close()
    } else await member.close()
    throw startFailure(options, reason)
  }
}

interface MemberStorage {
  readonly backend: Backend
  readonly fileSystem: FileSystem
  readonly metrics: MemberMetrics
  /** For raft. */
  readonly directory: string
}

async function openStorage(
  options: MemberOptions,
  plan: MemberPlan,
  ports: MemberPorts,
): Promise<MemberStorage> {
  const { dataDir } = options
  const metrics = new MemberMetrics(idText(plan.id))
  if (options.memory === true || ports.backend !== undefined) {
    const { backend = new MemoryBackend(), fileSystem = new MemoryFileSystem() } = ports
    return { backend, fileSystem, metrics, directory: 'member' }
  }
  if (dataDir === undefined || dataDir === '') {
    throw new KvError('INTERNAL', { message: '--data-dir is missing; name a folder for the data' })
  }
  const { member, tables } = await openDataDirectory(dataDir, plan)
  if (options.walDir !== undefined) await linkWal(member, options.walDir)
  try {
    const { fileSystem = nodeFileSystem } = ports
    const backend = await LevelBackend.open(tables, (durationMs) => metrics.committed(durationMs))
    return { backend, fileSystem, metrics, directory: member }
  } catch (reason) {
    throw tablesFailure(dataDir, reason)
  }
}

interface StartOptions {
  readonly options: MemberOptions
  readonly plan: MemberPlan
  readonly ports: MemberPorts
  readonly storage: MemberStorage
  /** Undefined: nobody may connect. */
  readonly peers: PeerServer | undefined
  readonly tls: PeerTls | undefined
}

class OpenMember extends MemberCore implements Member {
  readonly kv: Kv
  readonly api: MemberApi = this.as({})
  readonly name: string
  readonly #advertised: readonly string[] | undefined
  readonly #peers: PeerServer | undefined
  readonly #limits: Limits
  #listener: ClientListener | undefined
  #ready: Promise<void> | undefined
  #closing: Promise<void> | undefined

  private constructor(
    parts: MemberParts & { readonly limits: Limits },
    { options, peers }: StartOptions,
  ) {
    super(parts)
    this.#limits = parts.limits
    this.#peers = peers
    this.name = parts.name
    this.#advertised = options.advertiseClientUrls
    this.kv = new EmbeddedKv(this)
  }

  static async start(start: StartOptions): Promise<OpenMember> {
    const { options, plan, ports, storage, peers: server, tls } = start
    const { backend, metrics } = storage
    const { clock = nodeClock, random = nodeMemberRandom } = ports
    const auth = readAuthSettings(options)
    const { passwords = new BcryptPasswords(auth.bcryptCost) } = ports
    let member: OpenMember | undefined
    const fail = (error: Error): void => {
      options.onFailed?.(error)
      if (member !== undefined) void closeFailed(member, options)
    }
    const { onWarning } = options
    const storagePlan = planStorage(options)
    const isRepaired = storagePlan.corruptRepair && (await giveUpDamagedTables(backend, plan.id))
    if (isRepaired)
      onWarning?.('The data of this member differed from that of the others; it takes theirs')
    const peers = new MemberPeers({ plan, clock, server, tls, onWarning, ports })
    const stateMachine: KvStateMachine = await KvStateMachine.open({
      backend,
      clusterId: plan.clusterId,
      memberId: plan.id,
      clock,
      leaseTtlSecondsMin: leaseTtlSecondsMin(plan.electionTimeoutMs),
      tokenTtlMs: auth.tokenTtlMs,
      indexRowsMax: ports.indexRowsMax,
      onApplied: (report) => {
        metrics.applied(report)
        member?.leases.applied(report.term)
      },
      onMembers: () => {
        peers.follow(stateMachine)
        member?.membersChanged()
      },
      onFailure: fail,
    }).catch((reason: unknown) => {
      throw options.dataDir === undefined ? reason : tablesFailure(options.dataDir, reason)
    })
    const early: RaftNodeEvent[] = []
    const onEvent = (event: RaftNodeEvent): void => {
      if (event.type === 'failed') fail(event.error)
      else if (event.type === 'leaderChanged') {
        if (member === undefined) early.push(event)
        else member.leaderChanged(event.leader, event.term)
      }
    }
    const consensus = await openRaft(stateMachine, {
      id: idText(plan.id) as NodeId,
      clusterId: idText(plan.clusterId),
      initialMembership: {
        voters: plan.voters as NodeId[],
        votersOutgoing: [],
        learners: [],
      },
      peers: new Map(),
      directory: storage.directory,
      stateMachine,
      transport: peers.transport,
      fileSystem: storage.fileSystem,
      clock,
      random: () => randomFraction(random),
      heartbeatIntervalMs: plan.heartbeatIntervalMs,
      electionTimeoutMs: plan.electionTimeoutMs,
      ...(options.snapshotCount === undefined ? {} : { snapshotEntries: options.snapshotCount }),
      limits: { commandSizeBytesMax },
      segmentSizeBytes: options.memory === true ? memorySegmentSizeBytes : segmentSizeBytes,
      ...ports.raft,
      onEvent,
      metrics: metrics.raft,
    })
    const machine = { stateMachine, consensus, backend, clock, random, passwords, metrics }
    const { strictReconfigCheck = true, maxLearners = 1, learnerAutoPromote = false } = options
    const opened = new OpenMember(
      {
        ...plan,
        ...machine,
        jwt: auth.jwt,
        progressIntervalMs: Math.max(100, options.watchProgressNotifyIntervalMs ?? 600_000),
        knownPeerUrls: plan.peerUrlsById,
        peers,
        rules: { strictReconfigCheck, learnersMax: maxLearners, learnerAutoPromote },
        leases: {
          revokesPerSecond: options.leaseRevokesPerSecond ?? revokesPerSecondDefault,
          checkpoints: options.leaseCheckpoints ?? true,
        },
        onRemoved: fail,
        limits: limitsOf(options),
        storage: storagePlan,
        ...(storagePlan.corruptRepair ? { repair: { isRepaired, onDamaged: fail } } : {}),
      },
      start,
    )
    member = opened
    peers.serve(opened)
    metrics.watchQuotas(() => stateMachine.quotas.list())
    metrics.watchGauges(() => ({ ...gaugesOf(machine), quotaBytes: opened.storage.quotaBytes }))
    for (const event of early) onEvent(event)
    const { leader, term } = consensus.status()
    if (leader !== undefined) opened.leaderChanged(leader, term)
    return opened
  }

  get clientUrls(): readonly string[] {
    return this.#listener?.urls ?? []
  }

  async listen(options: MemberOptions): Promise<void> {
    this.#listener = await openClientListener(this.api, options, this.#limits)
  }

  reconfigure(options: LiveOptions): void {
    const storage = planStorage(options)
    Object.assign(this.#limits, limitsOf(options))
    this.storage.reconfigure(storage)
  }

  ready(): Promise<void> {
    // Without other word clients are told the ports that were really taken.
    this.#ready ??= this.publish(this.#advertised ?? this.clientUrls)
    return this.#ready
  }

  override close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.kv.close()
    await this.#listener?.close()
    try {
      await super.close()
    } finally {
      // Also when the tables cannot be closed: a port left open would keep the process from ending.
      await this.#peers?.close()
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** What cannot be written any more may be lost on the way out; the log has it. */
async function closeFailed(member: Member, { onWarning }: MemberOptions): Promise<void> {
  try {
    await member.close()
  } catch (reason) {
    onWarning?.(`The member did not close: ${String(reason)}`)
  }
}

async function openRaft(
  stateMachine: KvStateMachine,
  options: RaftNodeOptions<CommandResult>,
): Promise<RaftNode<CommandResult>> {
  try {
    return await RaftNode.open(options)
  } catch (reason) {
    stateMachine.housekeeping.stop()
    throw reason
  }
}

/** Says which option is at fault, where one is. */
function startFailure(options: MemberOptions, reason: unknown): Error {
  if (reason instanceof RaftError) {
    const { code, message } = reason
    const isData = code === 'LOCKED' || code === 'CORRUPT' || code === 'CLUSTER_MISMATCH'
    const text = isData ? `--data-dir '${options.dataDir ?? ''}': ${message}` : message
    const kvCode = code === 'CORRUPT' ? 'CORRUPT' : 'INTERNAL'
    return new KvError(kvCode, { message: text, cause: reason })
  }
  if (reason instanceof ListenError) {
    const message = `--listen-client-urls: ${reason.message}`
    return new KvError('INTERNAL', { message, cause: reason })
  }
  return KvError.from(reason)
}
