// The bytes of the real peer protocol, for simulated wires.
import { assert } from '../core/assert.ts'
import { decodeFrame } from '../transport/decode-frame.ts'
import { encodeFrame } from '../transport/encode-frame.ts'
import { inVersion, isOldMembership } from '../transport/protocol-version.ts'
import type { WireFormat } from './sim-network.ts'

/** What a real wire would carry. */
export const peerWire: WireFormat = {
  encode: (message, version) => {
    const isSaid = inVersion(message, version) !== undefined
    return isSaid ? encodeFrame([message], version) : undefined
  },
  decode: (bytes, { from, to, version }) => {
    const [decoded] = decodeFrame(bytes, { from, to }, version)
    assert(decoded !== undefined, 'a frame of one message holds one')
    return decoded
  },
  canSend: ({ membership }, version) => version > 1 || isOldMembership(membership),
}
