// etcdserverpb.Maintenance/Snapshot: the tables of this member as a file of etcd, no faster than the client reads.
import { KvError } from '../../errors.ts'
import type { SnapshotImage } from '../../etcd-file/snapshot-image.ts'
import type { MemberApi } from '../../member/types.ts'
import { encodeSnapshotResponse } from '../../proto/index.ts'
import type { ReplyStream, RequestStream, StreamMethod } from './method.ts'

export const snapshotMethod: StreamMethod = {
  kind: 'stream',
  path: '/etcdserverpb.Maintenance/Snapshot',
  routes: ['/maintenance/snapshot'],
  request: 'SnapshotRequest',
  response: 'SnapshotResponse',
  open: openSnapshot,
}

function openSnapshot(member: MemberApi, out: ReplyStream): RequestStream {
  let isAsked = false
  let isOver = false
  let goOn: () => void = () => undefined
  const stream = async (image: SnapshotImage): Promise<void> => {
    try {
      for await (const { bytes: blob, remainingBytes } of image.blobs()) {
        if (isOver) return
        if (out.send(encodeSnapshotResponse({ blob, remainingBytes }))) continue
        await new Promise<void>((resolve) => (goOn = resolve))
        if (isOver) return
      }
      out.end(undefined)
    } catch (reason) {
      out.end(KvError.from(reason))
    } finally {
      image.release()
    }
  }
  return {
    message: () => {
      if (isAsked) throw new KvError('MALFORMED')
      isAsked = true
      void stream(member.maintenance.snapshot())
    },
    halfClosed: () => undefined,
    writable: () => goOn(),
    closed: () => {
      isOver = true
      goOn()
    },
  }
}
