// A file or folder of this machine as a tar archive, made while it is read.
import { lstat, open, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { checksum } from './tar-reader.ts'

interface Header {
  readonly name: string
  readonly flag: '0' | '2' | '5' | 'x'
  readonly mode: number
  readonly sizeBytes: number
  readonly modifiedMs: number
  readonly target: string
}

const blockBytes = 512
const pieceBytes = 64 * 1024
const fieldBytesMax = 100
const octalSizeMax = 0o77777777777

/** `path` and all that is in it, called `name` in the archive. Symbolic links stay links; sockets and devices are left out. */
export async function* tarFiles(path: string, name: string): AsyncGenerator<Buffer> {
  yield* entries(path, name)
  yield Buffer.alloc(2 * blockBytes)
}

async function* entries(path: string, name: string): AsyncGenerator<Buffer> {
  const stats = await lstat(path)
  const about = { mode: stats.mode & 0o777, modifiedMs: stats.mtimeMs, sizeBytes: 0, target: '' }
  if (stats.isDirectory()) {
    const names = await readdir(path)
    // A folder comes with what is in it.
    if (names.length === 0) yield headerOf({ ...about, name: `${name}/`, flag: '5' })
    for (const each of names.toSorted()) yield* entries(join(path, each), `${name}/${each}`)
  } else if (stats.isSymbolicLink()) {
    yield headerOf({ ...about, name, flag: '2', target: await readlink(path) })
  } else if (stats.isFile()) {
    yield headerOf({ ...about, name, flag: '0', sizeBytes: stats.size })
    yield* contents(path, stats.size)
  }
}

async function* contents(path: string, sizeBytes: number): AsyncGenerator<Buffer> {
  const file = await open(path)
  try {
    let left = sizeBytes
    while (left > 0) {
      const piece = Buffer.allocUnsafe(Math.min(left, pieceBytes))
      const { bytesRead } = await file.read(piece)
      if (bytesRead === 0) throw new Error(`${path} became shorter while it was read`)
      left -= bytesRead
      yield piece.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
  yield Buffer.alloc(paddingOf(sizeBytes))
}

const paddingOf = (sizeBytes: number): number =>
  (blockBytes - (sizeBytes % blockBytes)) % blockBytes

/** What does not fit into the fields of ustar stands in an entry before. */
const headerOf = (header: Header): Buffer => {
  const { name, target, sizeBytes } = header
  const isLong = (text: string): boolean => Buffer.byteLength(text) > fieldBytesMax
  const records = [
    ...(isLong(name) ? [record('path', name)] : []),
    ...(isLong(target) ? [record('linkpath', target)] : []),
    ...(sizeBytes > octalSizeMax ? [record('size', String(sizeBytes))] : []),
  ]
  const block = blockOf(header)
  if (records.length === 0) return block
  const body = Buffer.concat(records)
  const first = blockOf({ ...header, name: 'more', flag: 'x', sizeBytes: body.length, target: '' })
  return Buffer.concat([first, body, Buffer.alloc(paddingOf(body.length)), block])
}

/** Its length counts its own digits. */
const record = (key: string, value: string): Buffer => {
  const rest = ` ${key}=${value}\n`
  const bytes = Buffer.byteLength(rest)
  let length = bytes + 1
  while (bytes + String(length).length !== length) length++
  return Buffer.from(`${length}${rest}`)
}

const blockOf = ({ name, flag, mode, sizeBytes, modifiedMs, target }: Header): Buffer => {
  const block = Buffer.alloc(blockBytes)
  const octal = (value: number, start: number, length: number): void => {
    block.write(value.toString(8).padStart(length - 1, '0'), start, length - 1, 'latin1')
  }
  block.write(name, 0, fieldBytesMax, 'utf8')
  octal(mode, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  octal(Math.min(sizeBytes, octalSizeMax), 124, 12)
  octal(Math.max(0, Math.floor(modifiedMs / 1000)), 136, 12)
  block.write(flag, 156, 'latin1')
  block.write(target, 157, fieldBytesMax, 'utf8')
  block.write('ustar\u{0}00', 257, 'latin1')
  block.write(`${checksum(block).toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}
