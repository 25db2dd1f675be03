// What this server says first on every connection.
import type { Limits } from '../../../limits.ts'
import type { FrameWriter } from './frame-writer.ts'
import { defaultWindowSize, setting } from './http2-protocol.ts'

/** More than the largest message, so that a unary call needs no window update of its stream. */
export const streamReceiveWindow = 4_194_304
export const connectionReceiveWindow = 16_777_216

export function writeServerSettings(
  writer: FrameWriter,
  { concurrentStreamsMax }: Readonly<Limits>,
  headerListSizeMax: number,
): void {
  const settings = [
    [setting.headerTableSize, 0],
    [setting.concurrentStreamsMax, concurrentStreamsMax],
    [setting.initialWindowSize, streamReceiveWindow],
    [setting.headerListSizeMax, headerListSizeMax],
  ] as const
  writer.settings(settings, 0)
  writer.windowUpdate(0, connectionReceiveWindow - defaultWindowSize)
}
