// The one way a decoder of this folder fails: the bytes are not the message they claim to be.
import { KvError } from '../../errors.ts'

/** MALFORMED with what was wrong, the text behind gRPC's INTERNAL status. */
export function malformed(what: string): KvError {
  return new KvError('MALFORMED', { message: `malformed message: ${what}` })
}
