// Many watchers of one prefix, spread over connections with one watch stream each; puts below the prefix; every watcher must see every put.
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { encodeWatchRequest } from '../../packages/kv/src/proto/index.ts'
import { watchRequestOf } from '../../packages/kv/src/client/convert.ts'
import {
  ack,
  connectionStart,
  frame,
  FrameCutter,
  frameType,
  headersFrame,
  MessageCutter,
  messageFrame,
  requestHeaders,
  windowUpdate,
} from './grpc-frames.ts'
import { Histogram } from './histogram.ts'
import type { LoadResult, WatchPlan } from './load-plan.ts'
import { resultOf, runGrpcLoad } from './run-grpc-load.ts'

const streamId = 1
const eventsTag = 0x5a
const createdTag = 0x18
const timeoutMs = 30_000

export async function runWatchLoad(plan: WatchPlan): Promise<LoadResult> {
  const url = new URL(plan.url)
  let created = 0
  let events = 0
  let wake: () => void = () => undefined
  const onMessage = (message: Buffer): void => {
    const seen = countFields(message)
    created += seen.created
    events += seen.events
    wake()
  }
  const until = async (isDone: () => boolean): Promise<boolean> => {
    const deadline = performance.now() + timeoutMs
    while (!isDone() && performance.now() < deadline) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 100)
        wake = (): void => {
          if (!isDone()) return
          clearTimeout(timer)
          resolve()
        }
      })
    }
    return isDone()
  }
  const perConnection = Math.round(plan.watchers / plan.connections)
  const sockets = await Promise.all(
    Array.from({ length: plan.connections }, () =>
      openWatchStream(url, plan.prefix, perConnection, onMessage),
    ),
  )
  const watchers = perConnection * plan.connections
  if (!(await until(() => created === watchers)))
    throw new Error(`${created} of ${watchers} watchers stand`)
  const startedAt = performance.now()
  const puts = await runGrpcLoad({
    wire: 'grpc',
    operation: 'put',
    url: plan.url,
    connections: 1,
    inFlight: plan.putsInFlight,
    count: plan.puts,
    durationMs: timeoutMs,
    keyPrefix: plan.prefix,
    keyCount: plan.puts,
    firstKey: 0,
    valueSizeBytes: plan.valueSizeBytes,
  })
  const expected = puts.count * watchers
  const isWhole = await until(() => events === expected)
  const seconds = (performance.now() - startedAt) / 1000
  for (const socket of sockets) socket.destroy()
  const failures = isWhole ? puts.failures : { [`${events} of ${expected} events came`]: 1 }
  return resultOf(events, seconds, new Histogram(), failures)
}

function openWatchStream(
  url: URL,
  prefix: string,
  watchers: number,
  onMessage: (message: Buffer) => void,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true })
    const frames = new FrameCutter()
    const messages = new MessageCutter()
    let receivedSizeBytes = 0
    socket.once('error', reject)
    socket.on('data', (chunk: Buffer) => {
      frames.push(chunk, (type, flags, _id, payload) => {
        if (type === frameType.data) {
          receivedSizeBytes += payload.length
          messages.push(payload, onMessage)
        } else if (type === frameType.settings && (flags & ack) === 0) {
          socket.write(frame(frameType.settings, ack, 0, Buffer.alloc(0)))
        } else if (type === frameType.ping && (flags & ack) === 0) {
          socket.write(frame(frameType.ping, ack, 0, payload))
        }
      })
      if (receivedSizeBytes > 2 ** 26) {
        const increment = Buffer.alloc(4)
        increment.writeUInt32BE(receivedSizeBytes)
        socket.write(windowUpdate(receivedSizeBytes))
        socket.write(frame(frameType.window, 0, streamId, increment))
        receivedSizeBytes = 0
      }
    })
    socket.once('connect', () => {
      const request = watchRequestOf({ prefix })
      const create = messageFrame(streamId, encodeWatchRequest({ type: 'create', request }))
      const block = requestHeaders('/etcdserverpb.Watch/Watch', url.host)
      const creates = Array.from({ length: watchers }, () => create)
      socket.write(Buffer.concat([connectionStart(), headersFrame(streamId, block), ...creates]))
      resolve(socket)
    })
  })
}

/** Walks a WatchResponse without decoding it. */
function countFields(message: Buffer): { created: number; events: number } {
  let created = 0
  let events = 0
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let shift = 1; ; shift *= 128) {
      const byte = message[at++] ?? 0
      value += (byte & 0x7f) * shift
      if (byte < 0x80) return value
    }
  }
  while (at < message.length) {
    const tag = varint()
    if (tag === eventsTag) events++
    if (tag === createdTag) created++
    const value = varint()
    if ((tag & 7) === 2) at += value
  }
  return { created, events }
}
