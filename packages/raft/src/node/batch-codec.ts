// The payload of an entry: the commands that one member proposed together, and who waits for them. Bytes: version u8, origin 8 bytes
// (random for each run of a member), sequence of the first command u64, count u32, then per command its size u32 and its bytes.
import { ByteReader } from '../bytes/byte-reader.ts'
import { ByteWriter } from '../bytes/byte-writer.ts'
import { RaftError } from '../errors.ts'
import type { Random } from './ports.ts'

const formatVersion = 1
const headerSizeBytes = 1 + 8 + 8 + 4
export const commandOverheadBytes = 4

/** Two halves of 32 bits. */
export interface Origin {
  readonly high: number
  readonly low: number
}

export interface Batch {
  readonly origin: Origin
  readonly firstSequence: number
  readonly commands: readonly Uint8Array[]
}

export function newOrigin(random: Random): Origin {
  return { high: Math.floor(random() * 2 ** 32), low: Math.floor(random() * 2 ** 32) }
}

export function encodeBatch({ origin, firstSequence, commands }: Batch): Uint8Array {
  let size = headerSizeBytes
  for (const command of commands) size += commandOverheadBytes + command.length
  const writer = new ByteWriter(size, Buffer.allocUnsafeSlow)
  writer.u8(formatVersion)
  writer.u32(origin.high)
  writer.u32(origin.low)
  writer.u64(firstSequence)
  writer.u32(commands.length)
  for (const command of commands) {
    writer.u32(command.length)
    writer.bytes(command)
  }
  return writer.finish()
}

/** Commands are views. Throws for bytes that encodeBatch() does not make. */
export function decodeBatch(bytes: Uint8Array): Batch {
  const reader = new ByteReader(bytes)
  const version = reader.u8()
  if (version !== formatVersion) {
    throw new RaftError('VERSION_MISMATCH', `Entry has batch format ${version}, not 1`)
  }
  const origin = { high: reader.u32(), low: reader.u32() }
  const firstSequence = reader.u64()
  const count = reader.count(commandOverheadBytes)
  const commands: Uint8Array[] = []
  for (let i = 0; i < count; i++) commands.push(reader.bytes(reader.u32()))
  reader.end()
  return { origin, firstSequence, commands }
}
