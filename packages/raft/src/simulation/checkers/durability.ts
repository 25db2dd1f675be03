// Durability: what a client was told is done is there in the end, on every member, once.
import type { NodeId } from '../../core/types.ts'
import { Violation, type AcknowledgedWrite, type Checker } from './checker.ts'

export class Durability implements Checker {
  readonly property = 'durability of what was acknowledged'
  readonly #acknowledged = new Map<string, AcknowledgedWrite>()

  get acknowledgedCount(): number {
    return this.#acknowledged.size
  }

  acknowledged(write: AcknowledgedWrite): void {
    this.#acknowledged.set(write.command, write)
  }

  finished(commands: ReadonlyMap<NodeId, readonly string[]>): void {
    for (const [id, applied] of commands) {
      const known = new Set(applied)
      if (known.size !== applied.length) {
        const twice = applied.find((command, i) => applied.indexOf(command) !== i)
        throw new Violation(this.property, `${id} has applied ${twice} more than once`)
      }
      for (const { command, index } of this.#acknowledged.values()) {
        if (known.has(command)) continue
        const detail = `${command}, acknowledged at index ${index}, is missing on ${id}`
        throw new Violation(this.property, detail)
      }
    }
  }
}
