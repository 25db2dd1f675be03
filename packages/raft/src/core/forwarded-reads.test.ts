import { expect, test } from 'vitest'
import { ForwardedReads } from './forwarded-reads.ts'
import { Outbox } from './outbox.ts'
import { readsPendingMax } from './read-index.ts'
import { nodeId } from './testing/test-cluster.ts'

function forwarded(): { readonly reads: ForwardedReads; readonly outbox: Outbox } {
  const outbox = new Outbox()
  const options = { id: nodeId('a'), outbox, patienceTicks: 2, firstNumber: 100 }
  return { reads: new ForwardedReads(options), outbox }
}

const leader = nodeId('b')

function result(context: number): Parameters<ForwardedReads['answered']>[0] {
  return { type: 'readIndexResult', from: leader, to: nodeId('a'), term: 1, context, index: 7 }
}

test('a read is asked with a number of its own, and an answer counts once', () => {
  const { reads, outbox } = forwarded()
  reads.ask(1, leader, 1)
  expect(outbox.take().send).toMatchObject([{ type: 'readIndex', to: 'b', context: 100 }])
  reads.answered(result(1))
  reads.answered(result(100))
  reads.answered(result(100))
  expect(outbox.take().reads).toEqual([{ context: 1, index: 7 }])
})

test('reads whose answer does not come in time are given back, the others wait on', () => {
  const { reads, outbox } = forwarded()
  reads.ask(1, leader, 1)
  reads.tick()
  reads.ask(2, leader, 1)
  reads.tick()
  expect(outbox.take().reads).toEqual([{ context: 1, index: undefined }])
  reads.answered(result(100))
  reads.answered(result(101))
  expect(outbox.take().reads).toEqual([{ context: 2, index: 7 }])
})

test('without a leader a read is given back at once, with the leader all that wait are', () => {
  const { reads, outbox } = forwarded()
  reads.ask(1, undefined, 1)
  reads.ask(2, leader, 1)
  reads.abandon()
  expect(outbox.take().reads).toEqual([
    { context: 1, index: undefined },
    { context: 2, index: undefined },
  ])
})

test('at the limit a read is given back, below it asked', () => {
  const { reads, outbox } = forwarded()
  for (let context = 0; context <= readsPendingMax; context++) reads.ask(context, leader, 1)
  const { send, reads: refused } = outbox.take()
  expect(send).toHaveLength(readsPendingMax)
  expect(refused).toEqual([{ context: readsPendingMax, index: undefined }])
})
