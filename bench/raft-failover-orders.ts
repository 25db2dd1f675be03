// What raft-failover.ts asks of its members and what they answer, and the clock that all of them share.
import type { NodeId } from '@balsa/raft'

export type Order =
  | {
      readonly type: 'start'
      readonly id: NodeId
      readonly ports: Readonly<Record<NodeId, number>>
      readonly directory: string
    }
  | { readonly type: 'lead' }
  | { readonly type: 'transfer' }
  | { readonly type: 'close' }
  /** Answered when a write is committed that began after `since`: with when that was. */
  | { readonly type: 'acked'; readonly since: number }
  /** The longest time between two writes since then, and how many failed. */
  | { readonly type: 'gap'; readonly since: number }

export interface Answers {
  readonly start: true
  readonly lead: boolean
  readonly transfer: true
  /** How many writes failed before it closed. */
  readonly close: number
  readonly acked: number
  readonly gap: { readonly gapMs: number; readonly failed: number }
}

/** The same on every process of a machine. */
export function now(): number {
  return performance.timeOrigin + performance.now()
}
