import { expect, test } from 'vitest'
import { Progress } from './progress.ts'
import { nodeId } from './testing/test-cluster.ts'

function progress(nextIndex = 1): Progress {
  const limits = { messagesMax: 2, sizeBytesMax: 100 }
  return new Progress({ id: nodeId('b'), nextIndex, limits })
}

function replicating(): Progress {
  const peer = progress(6)
  peer.acknowledge(5)
  peer.becomeReplicate()
  return peer
}

const message = { count: 1, sizeBytes: 10, commit: 0 }

test('a probe waits for its answer and does not move nextIndex', () => {
  const peer = progress(6)
  peer.sent({ ...message, count: 3 })
  expect({ isPaused: peer.isPaused(), next: peer.nextIndex }).toEqual({ isPaused: true, next: 6 })
  peer.alive(10)
  expect(peer.isPaused()).toBe(false)
})

test('replicate moves nextIndex ahead of the answers until the window holds its messages', () => {
  const peer = replicating()
  peer.sent(message)
  peer.sent(message)
  expect({ isPaused: peer.isPaused(), next: peer.nextIndex }).toEqual({ isPaused: true, next: 8 })
  peer.acknowledge(6)
  expect(peer.isPaused()).toBe(false)
  peer.verify()
})

test('the window is full at its bytes too', () => {
  const peer = replicating()
  peer.sent({ ...message, sizeBytes: 99 })
  expect(peer.isPaused()).toBe(false)
  peer.sent({ ...message, sizeBytes: 1 })
  expect(peer.isPaused()).toBe(true)
})

test('an old refusal does not take the pipeline back', () => {
  const peer = replicating()
  expect(peer.reject(4, 2)).toBe(false)
  expect(peer).toMatchObject({ state: 'replicate', nextIndex: 6 })
})

test('a refusal while replicating goes back to what is known to match', () => {
  const peer = replicating()
  peer.sent(message)
  expect(peer.reject(6, 6)).toBe(true)
  expect(peer).toMatchObject({ state: 'probe', nextIndex: 6 })
})

test('a probe steps back to the meeting point, at least by one, and never behind the match', () => {
  const peer = progress(10)
  expect(peer.reject(8, 3)).toBe(false)
  expect(peer.reject(9, 20)).toBe(true)
  expect(peer.nextIndex).toBe(9)
  expect(peer.reject(8, 3)).toBe(true)
  expect(peer.nextIndex).toBe(4)
  peer.verify()
})

test('after a snapshot the follower is probed behind it, after a failed one where it was', () => {
  const sent = replicating()
  sent.becomeSnapshot(20)
  expect(sent.isPaused()).toBe(true)
  sent.becomeProbe()
  expect(sent.nextIndex).toBe(21)
  const failed = replicating()
  failed.becomeSnapshot(20)
  failed.snapshotFailed()
  expect(failed).toMatchObject({ state: 'probe', nextIndex: 6 })
  expect(failed.isPaused()).toBe(true)
})

test('a new commit index is worth one empty message, not two', () => {
  const peer = replicating()
  expect(peer.isBehind(5, 5)).toBe(true)
  peer.sent({ count: 0, sizeBytes: 0, commit: 5 })
  expect(peer.isBehind(5, 5)).toBe(false)
})

test('a sign of life frees one slot of a full window and asks for proof of the tail', () => {
  const peer = replicating()
  peer.sent(message)
  peer.sent(message)
  peer.alive(7)
  expect(peer.isPaused()).toBe(false)
  expect(peer.isBehind(7, 0)).toBe(true)
})

test('what a probe has told of the commit index is not told again by the pipeline', () => {
  const peer = progress(6)
  peer.sent({ ...message, count: 0, commit: 5 })
  peer.acknowledge(5)
  peer.becomeReplicate()
  expect(peer.isBehind(5, 5)).toBe(false)
  expect(peer.isBehind(5, 6)).toBe(true)
})

test('a follower that refuses what it had acknowledged is asked again with the next heartbeat, not at once', () => {
  const peer = replicating()
  peer.becomeProbe()
  peer.sent({ count: 0, sizeBytes: 0, commit: 0 })
  expect(peer.reject(5, 0)).toBe(false)
  expect(peer.isPaused()).toBe(true)
  peer.alive(9)
  expect(peer.isPaused()).toBe(false)
  expect(peer.nextIndex).toBe(6)
})
