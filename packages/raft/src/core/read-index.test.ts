import { expect, test } from 'vitest'
import { ReadRounds, readsPendingMax } from './read-index.ts'
import { nodeId } from './testing/test-cluster.ts'

function request(context: number): { readonly from: undefined; readonly context: number } {
  return { from: undefined, context }
}

test('reads that come before the heartbeats leave share a round, later ones open the next', () => {
  const rounds = new ReadRounds()
  rounds.add(request(1), 5)
  rounds.add(request(2), 5)
  expect(rounds.sequence).toBe(1)
  rounds.close()
  rounds.add(request(3), 6)
  expect(rounds.sequence).toBe(2)
  expect(rounds.confirm(1)).toEqual([
    { ...request(1), index: 5 },
    { ...request(2), index: 5 },
  ])
  expect(rounds.confirm(2)).toEqual([{ ...request(3), index: 6 }])
  expect(rounds.sequence).toBe(0)
  rounds.verify()
})

test('a read never gets an index that was committed after it was confirmed, nor one before it', () => {
  const rounds = new ReadRounds()
  rounds.add(request(1), 5)
  rounds.add(request(2), 7)
  expect(rounds.confirm(9)).toEqual([
    { ...request(1), index: 5 },
    { ...request(2), index: 7 },
  ])
})

test('early reads wait for the first commit of the term and start from its index', () => {
  const rounds = new ReadRounds()
  rounds.addEarly(request(1))
  expect(rounds.confirm(99)).toEqual([])
  rounds.releaseEarly(8)
  expect(rounds.confirm(1)).toEqual([{ ...request(1), index: 8 }])
})

test('at the limit no more reads are taken, and below it they are', () => {
  const rounds = new ReadRounds()
  for (let i = 0; i < readsPendingMax; i++) rounds.add(request(i), 1)
  expect(rounds.isFull).toBe(true)
  rounds.confirm(1)
  expect(rounds.isFull).toBe(false)
})

test('whoever waits when the leader loses its role is named', () => {
  const rounds = new ReadRounds()
  rounds.addEarly({ from: nodeId('b'), context: 1 })
  rounds.add(request(2), 1)
  expect(rounds.abandon()).toEqual([{ from: nodeId('b'), context: 1 }, request(2)])
  rounds.verify()
})
