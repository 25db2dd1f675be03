// Raft's files in memory, for a member that keeps nothing. Without crash semantics: sync does nothing.
import type { File, FileSystem } from '@balsa/raft'

const growthSizeBytesMin = 64 * 2 ** 10

export class MemoryFileSystem implements FileSystem {
  readonly #files = new Map<string, MemoryFile>()

  open(path: string, mode: 'create' | 'write' | 'read'): Promise<File> {
    const found = this.#files.get(path)
    if (mode === 'create') {
      if (found !== undefined) return Promise.reject(fileError('EEXIST', path))
      const file = new MemoryFile()
      this.#files.set(path, file)
      return Promise.resolve(file)
    }
    return found === undefined ? Promise.reject(fileError('ENOENT', path)) : Promise.resolve(found)
  }

  list(path: string): Promise<string[]> {
    const prefix = `${path}/`
    const names = [...this.#files.keys()].filter((name) => name.startsWith(prefix))
    const inside = names.map((name) => name.slice(prefix.length).split('/')[0] ?? '')
    return Promise.resolve([...new Set(inside)].sort())
  }

  makeDirectory(): Promise<void> {
    return Promise.resolve()
  }

  rename(from: string, to: string): Promise<void> {
    const file = this.#files.get(from)
    if (file === undefined) return Promise.reject(fileError('ENOENT', from))
    this.#files.delete(from)
    this.#files.set(to, file)
    return Promise.resolve()
  }

  remove(path: string): Promise<void> {
    if (!this.#files.delete(path)) return Promise.reject(fileError('ENOENT', path))
    return Promise.resolve()
  }

  syncDirectory(): Promise<void> {
    return Promise.resolve()
  }

  lock(): Promise<{ release(): Promise<void> }> {
    return Promise.resolve({ release: () => Promise.resolve() })
  }
}

class MemoryFile implements File {
  #bytes: Uint8Array = new Uint8Array(0)
  #size = 0

  size(): Promise<number> {
    return Promise.resolve(this.#size)
  }

  read(position: number, length: number): Promise<Uint8Array> {
    const end = Math.min(position + length, this.#size)
    return Promise.resolve(this.#bytes.slice(Math.min(position, end), end))
  }

  write(buffers: readonly Uint8Array[], position: number): Promise<void> {
    let at = position
    for (const buffer of buffers) {
      this.#resize(Math.max(this.#size, at + buffer.length))
      this.#bytes.set(buffer, at)
      at += buffer.length
    }
    return Promise.resolve()
  }

  sync(): Promise<void> {
    return Promise.resolve()
  }

  truncate(size: number): Promise<void> {
    this.#resize(size)
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #resize(size: number): void {
    if (size > this.#bytes.length) {
      const room = Math.max(size, this.#bytes.length * 2, growthSizeBytesMin)
      const grown = new Uint8Array(room)
      grown.set(this.#bytes)
      this.#bytes = grown
    }
    if (size < this.#size) this.#bytes.fill(0, size, this.#size)
    this.#size = size
  }
}

function fileError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: '${path}'`), { code })
}
