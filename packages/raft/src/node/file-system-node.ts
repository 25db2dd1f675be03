// The real FileSystem. Plain callbacks instead of FileHandle, and small writes go to the page cache at once: a hop to the thread pool
// and back costs more than the copy; only the sync has to wait for the disk.
import * as fs from 'node:fs'
import { lockFile } from './lock-file.ts'
import type { File, FileSystem } from './ports.ts'

/** Above it a write goes to the thread pool. */
const directWriteBytesMax = 128 * 1024

/** Buffers of one writev call; the system's limit is 1024. */
const writeBuffersMax = 512

const flags = { create: 'wx+', write: 'r+', read: 'r' } as const

type Callback = (error: NodeJS.ErrnoException | null) => void

function call(start: (callback: Callback) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => {
      if (error === null || error === undefined) resolve()
      else reject(error)
    })
  })
}

class NodeFile implements File {
  readonly #fd: number

  constructor(fd: number) {
    this.#fd = fd
  }

  size(): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.fstat(this.#fd, (error, stats) => {
        if (error === null) resolve(stats.size)
        else reject(error)
      })
    })
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    const buffer = Buffer.allocUnsafe(length)
    let done = 0
    while (done < length) {
      const count = await this.#readSome(buffer, done, position + done)
      if (count === 0) break
      done += count
    }
    return buffer.subarray(0, done)
  }

  #readSome(buffer: Buffer, offset: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.read(this.#fd, buffer, offset, buffer.length - offset, position, (error, count) => {
        if (error === null) resolve(count)
        else reject(error)
      })
    })
  }

  async write(buffers: readonly Uint8Array[], position: number): Promise<void> {
    const size = sizeOf(buffers)
    const isDirect = size <= directWriteBytesMax
    let at = position
    let rest: readonly Uint8Array[] = buffers
    while (rest.length > 0) {
      const some = rest.slice(0, writeBuffersMax)
      const count = isDirect ? fs.writevSync(this.#fd, some, at) : await this.#writeSome(some, at)
      at += count
      rest = skipBytes(rest, count)
    }
  }

  #writeSome(buffers: readonly Uint8Array[], position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.writev(this.#fd, buffers, position, (error, count) => {
        if (error === null) resolve(count)
        else reject(error)
      })
    })
  }

  sync(): Promise<void> {
    return call((callback) => {
      fs.fdatasync(this.#fd, callback)
    })
  }

  truncate(size: number): Promise<void> {
    return call((callback) => {
      fs.ftruncate(this.#fd, size, callback)
    })
  }

  close(): Promise<void> {
    return call((callback) => {
      fs.close(this.#fd, callback)
    })
  }
}

function sizeOf(buffers: readonly Uint8Array[]): number {
  let size = 0
  for (const buffer of buffers) size += buffer.length
  return size
}

/** What is left of `buffers` after a write of `count` bytes, which the system may cut short. */
function skipBytes(buffers: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let left = count
  for (let i = 0; i < buffers.length; i++) {
    const buffer = buffers[i]
    if (buffer === undefined || buffer.length > left) {
      const rest = buffers.slice(i + 1)
      return buffer === undefined ? rest : [buffer.subarray(left), ...rest]
    }
    left -= buffer.length
  }
  return []
}

export const nodeFileSystem: FileSystem = {
  open(path, mode) {
    return new Promise((resolve, reject) => {
      fs.open(path, flags[mode], 0o600, (error, fd) => {
        if (error === null) resolve(new NodeFile(fd))
        else reject(error)
      })
    })
  },
  async list(path) {
    const names = await fs.promises.readdir(path)
    return names.sort()
  },
  async makeDirectory(path) {
    await fs.promises.mkdir(path, { recursive: true, mode: 0o700 })
  },
  rename: (from, to) => fs.promises.rename(from, to),
  remove: (path) => fs.promises.unlink(path),
  async syncDirectory(path) {
    const directory = await fs.promises.open(path, 'r')
    try {
      await directory.sync()
    } finally {
      await directory.close()
    }
  },
  lock: lockFile,
}
