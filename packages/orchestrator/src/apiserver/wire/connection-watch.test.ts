import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { ConnectionWatch, idleConnectionMs } from './connection-watch.ts'
import { Strangers } from './strangers.ts'

const connection = (): {
  streamCount: number
  readonly unread: { count: number }
  readonly events: string[]
  shutDown: () => void
  destroy: () => void
} => {
  const events: string[] = []
  return {
    streamCount: 0,
    unread: { count: 0 },
    events,
    shutDown: () => events.push('shutDown'),
    destroy: () => events.push('destroy'),
  }
}

test('a connection on which nothing is asked is ended, then cut; one with a watch stays', () => {
  const watch = new ConnectionWatch()
  const [idle, watching] = [connection(), connection()]
  watching.streamCount = 1
  watch.add(idle)
  watch.add(watching)
  const start = performance.now()
  watch.sweep(start + idleConnectionMs - 1000)
  expect(idle.events).toEqual([])
  watch.sweep(start + idleConnectionMs + 1000)
  expect(idle.events).toEqual(['shutDown'])
  watch.sweep(start + idleConnectionMs + 2000)
  expect(idle.events).toEqual(['shutDown', 'destroy'])
  watching.streamCount = 0
  watch.sweep(start + 2 * idleConnectionMs)
  expect(watching.events).toEqual([])
  watch.sweep(start + 3 * idleConnectionMs)
  expect(watching.events).toEqual(['shutDown'])
  watch.remove(idle)
  watch.remove(watching)
})

test('when too many answers wait to be read, the connection with the most of them goes', () => {
  const watch = new ConnectionWatch()
  const all = [60, 64, 64, 40, 50].map((megabytes) => {
    const one = connection()
    one.streamCount = 1
    one.unread.count = megabytes * 2 ** 20
    watch.add(one)
    return one
  })
  watch.sweep(performance.now())
  expect(all.map(({ events }) => events.length)).toEqual([0, 1, 0, 0, 0])
  for (const one of all) watch.remove(one)
})

test('of connections that nobody knows there are only so many: the oldest goes, and those that are known stay', () => {
  const strangers = new Strangers(2)
  const sockets = Array.from({ length: 5 }, (_, index) =>
    Object.assign(new EventEmitter(), {
      remoteAddress: '127.0.0.1',
      remotePort: 1000 + index,
      localAddress: '127.0.0.1',
      destroyed: false,
      destroy() {
        this.destroyed = true
      },
    }),
  ) as unknown as (Socket & EventEmitter)[]
  const add = (index: number): void => strangers.add(sockets[index]!)
  add(0)
  strangers.remove(sockets[0]!)
  add(1)
  add(2)
  expect(sockets.map(({ destroyed }) => destroyed)).toEqual([false, false, false, false, false])
  add(3)
  expect(sockets.map(({ destroyed }) => destroyed)).toEqual([false, true, false, false, false])
  sockets[2]!.emit('close')
  add(4)
  expect(sockets.map(({ destroyed }) => destroyed)).toEqual([false, true, false, false, false])
})
