// Members with the same history have the same HashKV: at the same revision and compaction it is one number, whoever computes it and when.
import type { HashKvResponse } from '../../proto/messages.ts'
import type { Call } from '../calls.ts'
import { Violation } from '../violation.ts'

export class HashesChecker {
  readonly #known = new Map<string, { readonly hash: number; readonly member: string }>()

  answered(call: Call, { hash, hashRevision, compactRevision }: HashKvResponse): void {
    const at = `revision ${hashRevision} compacted at ${compactRevision}`
    const known = this.#known.get(at)
    if (known === undefined) this.#known.set(at, { hash, member: call.member })
    else if (known.hash !== hash) {
      const what = `${call.member} has ${hash}, ${known.member} has ${known.hash} at ${at}`
      throw new Violation('equal hashes', what)
    }
  }
}
