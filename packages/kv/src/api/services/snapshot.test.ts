import { afterEach, beforeEach, expect, test } from 'vitest'
import { snapshotsMax } from '../../member/maintenance.ts'
import { openMember, type Member } from '../../member/open-member.ts'
import { decodeSnapshotResponse } from '../../proto/index.ts'
import { waitFor } from '../testing/wait-for.ts'
import type { ReplyStream, RequestStream } from './method.ts'
import { snapshotMethod } from './snapshot.ts'

const noBody = new Uint8Array(0)
let member: Member
beforeEach(async () => {
  member = await openMember({ memory: true })
  for (let i = 0; i < 4; i++) await member.kv.put(`key ${i}`, 'x'.repeat(100_000))
})
afterEach(() => member.close())

/** The wire's end of a call, which is full after each blob until it is told otherwise. */
class SlowWire implements ReplyStream {
  readonly blobs: Uint8Array[] = []
  readonly call: RequestStream
  isEnded = false

  constructor() {
    this.call = snapshotMethod.open(member.api, this)
    this.call.message(noBody)
  }

  send(body: Uint8Array): boolean {
    this.blobs.push(decodeSnapshotResponse(body).blob)
    return false
  }

  end(error: Error | undefined): void {
    if (error !== undefined) throw error
    this.isEnded = true
  }
}

test('a client that does not read gets one blob, and another each time it does', async () => {
  const wire = new SlowWire()
  for (let count = 1; !wire.isEnded; count++) {
    await waitFor(() => expect(wire.isEnded || wire.blobs.length === count).toBe(true))
    wire.call.writable()
  }
  expect(wire.blobs.at(-1)).toHaveLength(32)
  wire.call.closed()
})

test('so many snapshots at a time and no more; one whose client has gone makes room', async () => {
  const wires = Array.from({ length: snapshotsMax }, () => new SlowWire())
  expect(() => new SlowWire()).toThrow('etcdserver: too many requests')
  wires[0]?.call.closed()
  await waitFor(() => member.api.maintenance.snapshot().release())
  for (const { call } of wires.slice(1)) call.closed()
})

test('a second request on the stream is refused', () => {
  const { call } = new SlowWire()
  expect(() => call.message(noBody)).toThrow('malformed')
  call.closed()
})
