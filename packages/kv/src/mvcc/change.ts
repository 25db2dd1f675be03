// One change of one key as a revision made it: what watchers are told.
import type { EncodedKeyValue } from '../proto/messages.ts'

export interface Change {
  readonly key: string
  readonly main: number
  readonly sub: number
  readonly deleted: boolean
  /** The stored row: for a delete only the key is in it. */
  readonly row: EncodedKeyValue
  /** Where the pair before this revision is stored; main 0 if the key did not exist. */
  readonly prevMain: number
  readonly prevSub: number
}
