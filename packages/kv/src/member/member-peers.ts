// All ways from one member to the others: raft's transport, and the questions that go beside it. Without a peer port there are none.
import { createWsTransport, type NodeId, type PeerTls, type Transport } from '@balsa/raft'
import {
  QuestionClusterLink,
  clusterAnswerer,
  clusterPath,
  type ClusterLink,
} from './cluster-link.ts'
import { peersOf } from './cluster-roster.ts'
import { hashAnswerer, hashPath } from './corruption-check.ts'
import { idText } from './identity.ts'
import { leaseAnswerer, leasePath, QuestionLeaderLink } from './leader-link.ts'
import type { LeaderLink } from './lease-keeper.ts'
import { loneTransport } from './lone-transport.ts'
import type { MemberClock } from './member-clock.ts'
import type { MemberPlan } from './member-options.ts'
import { membersAnswerer, membersPath } from './member-question.ts'
import type { MemberCore } from './member.ts'
import {
  answerPeer,
  HttpPeerQuestions,
  type PeerAnswerer,
  type PeerQuestions,
} from './peer-questions.ts'
import type { PeerServer } from './peer-server.ts'
import { RosterTransport } from './roster-transport.ts'
import type { KvStateMachine } from './state-machine.ts'

export interface MemberPeersOptions {
  readonly plan: MemberPlan
  readonly clock: MemberClock
  /** Undefined: nobody may connect. */
  readonly server: PeerServer | undefined
  readonly tls: PeerTls | undefined
  readonly onWarning: ((message: string) => void) | undefined
  /** Instead of sockets. */
  readonly ports: {
    readonly transport?: Transport
    readonly link?: LeaderLink
    readonly questions?: PeerQuestions
  }
}

/** Where nobody is asked, nobody answers. */
const noQuestions: PeerQuestions = {
  ask: (_url, _path, _question, done) => done({ status: 0, body: {}, isUnheard: true }),
}

export class MemberPeers {
  readonly transport: RosterTransport
  readonly questions: PeerQuestions
  readonly link: LeaderLink
  readonly clusterLink: ClusterLink
  /** Whether others can reach this member at all. */
  readonly isReachable: boolean
  readonly #options: MemberPeersOptions
  #leaderUrl: () => string | undefined = () => undefined

  constructor(options: MemberPeersOptions) {
    const { plan, clock, server, tls, ports } = options
    this.#options = options
    this.transport = new RosterTransport(ports.transport ?? transportOf(options), clock)
    this.isReachable = server !== undefined || ports.transport !== undefined
    const http = new HttpPeerQuestions(idText(plan.clusterId), tls)
    this.questions = ports.questions ?? (server === undefined ? noQuestions : http)
    const leaderUrl = (): string | undefined => this.#leaderUrl()
    this.link = ports.link ?? new QuestionLeaderLink(this.questions, leaderUrl)
    this.clusterLink = new QuestionClusterLink(this.questions, leaderUrl)
  }

  /** The log says who and where the others are. */
  follow(stateMachine: KvStateMachine): void {
    const { plan } = this.#options
    this.transport.setRoster(peersOf(stateMachine, plan.peerUrlsById, idText(plan.id)))
  }

  /** Questions are answered from now on. */
  serve(member: MemberCore): ReadonlyMap<string, PeerAnswerer> {
    this.#leaderUrl = () => member.leaderPeerUrl()
    const answerers = new Map([
      [leasePath, leaseAnswerer(member.leases)],
      [clusterPath, clusterAnswerer(member.cluster.changes)],
      [membersPath, membersAnswerer(member, () => member.highestCommand)],
      [hashPath, hashAnswerer(member.maintenance)],
    ])
    const desk = {
      clusterId: idText(this.#options.plan.clusterId),
      answerers,
      openPaths: new Set([membersPath]),
    }
    this.#options.server?.serve((request, response) => answerPeer(desk, request, response))
    return answerers
  }
}

function transportOf({ plan, server, tls, onWarning }: MemberPeersOptions): Transport {
  if (server === undefined) return loneTransport
  return createWsTransport({
    id: idText(plan.id) as NodeId,
    clusterId: idText(plan.clusterId),
    server: server.server,
    ...(tls === undefined ? {} : { tls }),
    onRefused: (error) => onWarning?.(error.message),
  })
}
