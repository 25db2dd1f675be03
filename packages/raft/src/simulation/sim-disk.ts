// One member's disk, with what a crash may do to it: writes that were not synced are lost, kept or torn (sector by sector, in any order);
// creates, renames and removes that were not followed by a sync of their folder are undone from some point on. It outlives the
// member; a SimFileSystem is the view of one life of the member on it.
import { assert } from '../core/assert.ts'
import type { SeededRandom } from './random.ts'
import { SimInode } from './sim-inode.ts'

/** Errors as Node's file system has them. */
export class SimFileError extends Error {
  override readonly name = 'SimFileError'
  readonly code: string

  constructor(code: string, path: string) {
    super(`${code}: ${path}`)
    this.code = code
  }
}

/** What a folder holds: a file, or a folder. */
type Node = SimInode | 'directory'

/** One change of a folder: all of it lasts, or none. */
type NameChange =
  | { readonly type: 'set'; readonly path: string; readonly node: Node }
  | { readonly type: 'remove'; readonly path: string }
  | { readonly type: 'rename'; readonly from: string; readonly path: string }

export class SimDisk {
  readonly #random: SeededRandom
  #names = new Map<string, Node>()
  #durableNames = new Map<string, Node>()
  #unsynced: NameChange[] = []
  readonly #locks = new Set<string>()

  constructor(random: SeededRandom) {
    this.#random = random
  }

  /** Undefined for what is not there; '/' and '.' are always folders. */
  find(path: string): Node | undefined {
    return isRoot(path) ? 'directory' : this.#names.get(path)
  }

  file(path: string): SimInode {
    const node = this.find(path)
    if (node === undefined) throw new SimFileError('ENOENT', path)
    if (node === 'directory') throw new SimFileError('EISDIR', path)
    return node
  }

  create(path: string): SimInode {
    if (this.find(path) !== undefined) throw new SimFileError('EEXIST', path)
    const node = new SimInode()
    this.#change({ type: 'set', path, node })
    return node
  }

  /** Parents too; no error if it is there. */
  makeDirectory(path: string): void {
    if (this.find(path) === 'directory') return
    if (this.find(path) !== undefined) throw new SimFileError('EEXIST', path)
    this.makeDirectory(parentOf(path))
    this.#change({ type: 'set', path, node: 'directory' })
  }

  rename(from: string, to: string): void {
    if (this.find(from) === undefined) throw new SimFileError('ENOENT', from)
    this.#change({ type: 'rename', from, path: to })
    // What is still unsynced inside a renamed folder is from now on unsynced under its new name.
    const inside = `${from}/`
    this.#unsynced = this.#unsynced.map((change) =>
      change.path.startsWith(inside)
        ? { ...change, path: to + change.path.slice(from.length) }
        : change,
    )
  }

  remove(path: string): void {
    if (this.find(path) === undefined) throw new SimFileError('ENOENT', path)
    if (this.list(path, true).length > 0) throw new SimFileError('ENOTEMPTY', path)
    this.#change({ type: 'remove', path })
  }

  #change(change: NameChange): void {
    const directory = parentOf(change.path)
    if (this.find(directory) !== 'directory') throw new SimFileError('ENOENT', directory)
    applyChange(this.#names, change)
    this.#unsynced.push(change)
  }

  list(path: string, isLenient = false): string[] {
    if (this.find(path) !== 'directory') {
      if (isLenient) return []
      throw new SimFileError('ENOENT', path)
    }
    const names: string[] = []
    for (const name of this.#names.keys()) {
      if (parentOf(name) === path) names.push(name.slice(path === '/' ? 1 : path.length + 1))
    }
    return names.sort()
  }

  syncDirectory(path: string): void {
    if (this.find(path) !== 'directory') throw new SimFileError('ENOENT', path)
    const kept: NameChange[] = []
    for (const change of this.#unsynced) {
      if (parentOf(change.path) === path) applyChange(this.#durableNames, change)
      else kept.push(change)
    }
    this.#unsynced = kept
  }

  lock(path: string): () => void {
    if (this.#locks.has(path)) throw new SimFileError('ELOCKED', path)
    this.#locks.add(path)
    return () => {
      this.#locks.delete(path)
    }
  }

  /** The power fails: what was not synced may be gone. */
  crash(): void {
    this.#locks.clear()
    const lostFrom = new Map<string, boolean>()
    for (const change of this.#unsynced) {
      const directory = parentOf(change.path)
      // In one folder changes last in their order: after the first lost one all are lost.
      const isLost = lostFrom.get(directory) === true || this.#random.chance(0.5)
      lostFrom.set(directory, isLost)
      if (!isLost) applyChange(this.#durableNames, change)
    }
    this.#unsynced = []
    this.#dropOrphans()
    this.#names = new Map(this.#durableNames)
    for (const node of this.#names.values()) {
      if (node !== 'directory') node.crash(this.#random)
    }
  }

  /** The process is killed, the machine lives: everything written is there. */
  kill(): void {
    this.#locks.clear()
  }

  /** What lies in a folder that did not last is gone with it. */
  #dropOrphans(): void {
    for (const path of this.#durableNames.keys()) {
      for (let up = parentOf(path); !isRoot(up); up = parentOf(up)) {
        if (this.#durableNames.get(up) === 'directory') continue
        this.#durableNames.delete(path)
        break
      }
    }
  }

  /** For tests that damage a file. */
  paths(): readonly string[] {
    return [...this.#names.keys()].filter((path) => this.#names.get(path) !== 'directory').sort()
  }
}

function applyChange(names: Map<string, Node>, change: NameChange): void {
  const { path } = change
  if (change.type === 'set') names.set(path, change.node)
  else if (change.type === 'remove') names.delete(path)
  else {
    // A folder takes along what lies in it; of a file that did not last there is nothing to move.
    const { from } = change
    const moved = [...names].filter(([name]) => name === from || name.startsWith(`${from}/`))
    for (const [name, node] of moved) {
      names.delete(name)
      names.set(path + name.slice(from.length), node)
    }
  }
}

function isRoot(path: string): boolean {
  return path === '/' || path === '.' || path === ''
}

function parentOf(path: string): string {
  assert(!path.endsWith('/'), 'paths have no slash at their end')
  const slash = path.lastIndexOf('/')
  if (slash === -1) return '.'
  return slash === 0 ? '/' : path.slice(0, slash)
}
