// Durability: what a client was told is done is there in the end, on every member, once; what it was told is refused is nowhere.
import type { NodeId } from '../../core/types.ts'
import { Violation, type AcknowledgedWrite, type Checker } from './checker.ts'

export class Durability implements Checker {
  readonly property = 'durability of what was acknowledged'
  readonly #acknowledged = new Map<string, AcknowledgedWrite>()

  readonly #refused = new Set<string>()

  get acknowledgedCount(): number {
    return this.#acknowledged.size
  }

  acknowledged(write: AcknowledgedWrite): void {
    this.#acknowledged.set(write.command, write)
  }

  refused(command: string): void {
    this.#refused.add(command)
  }

  finished(commands: ReadonlyMap<NodeId, readonly string[]>): void {
    for (const [id, applied] of commands) {
      const known = new Set(applied)
      if (known.size !== applied.length) {
        const twice = applied.find((command, i) => applied.indexOf(command) !== i)
        throw new Violation(this.property, `${id} has applied ${twice} more than once`)
      }
      const undead = applied.find((command) => this.#refused.has(command))
      if (undead !== undefined) {
        throw new Violation(this.property, `${id} has applied ${undead}, which was refused`)
      }
      for (const { command, index } of this.#acknowledged.values()) {
        if (known.has(command)) continue
        const detail = `${command}, acknowledged at index ${index}, is missing on ${id}`
        throw new Violation(this.property, detail)
      }
    }
  }
}
