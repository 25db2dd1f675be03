// Reads a SETTINGS frame of the client.
import type { Frame } from './frame-reader.ts'
import {
  defaultFrameSizeMax,
  frameSizeError,
  Http2Error,
  http2ErrorCode,
  protocolError,
  setting,
  windowSizeMax,
} from './http2-protocol.ts'

const settingSize = 6
const frameSizeLimit = 0xff_ffff

/**
 * Checks every setting and returns the one that concerns us: SETTINGS_INITIAL_WINDOW_SIZE, the last if given twice. Our frames are
 * never larger than every peer must take, and our header blocks use no table, so the others change nothing.
 */
export function parseInitialWindowSize(frame: Frame): number | undefined {
  const { buffer, start, end } = frame
  if ((end - start) % settingSize !== 0) throw frameSizeError('SETTINGS')
  let initialWindowSize: number | undefined
  for (let at = start; at < end; at += settingSize) {
    const value = buffer.readUInt32BE(at + 2)
    switch (buffer.readUInt16BE(at)) {
      case setting.enablePush:
        if (value > 1) throw protocolError('SETTINGS_ENABLE_PUSH')
        break
      case setting.initialWindowSize:
        if (value > windowSizeMax) {
          throw new Http2Error(http2ErrorCode.flowControlError, 'SETTINGS_INITIAL_WINDOW_SIZE')
        }
        initialWindowSize = value
        break
      case setting.frameSizeMax:
        if (value < defaultFrameSizeMax || value > frameSizeLimit) {
          throw protocolError('SETTINGS_MAX_FRAME_SIZE')
        }
    }
  }
  return initialWindowSize
}
