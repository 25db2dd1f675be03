// Which processes belong to which run: those below its topmost process and those of its process group.
import type { ProcessTimes } from './process-times.ts'

/** The pids of each root's processes; a root without any is left out. */
export function processTrees(
  processes: ReadonlyMap<number, Pick<ProcessTimes, 'parent' | 'group'>>,
  roots: ReadonlySet<number>,
): Map<number, number[]> {
  const owners = new Map<number, number>()
  const ownerOf = (pid: number, depth = 0): number => {
    const known = owners.get(pid)
    if (known !== undefined) return known
    const process = processes.get(pid)
    let owner = 0
    if (roots.has(pid)) owner = pid
    else if (process !== undefined && depth < processes.size) {
      owner = roots.has(process.group) ? process.group : ownerOf(process.parent, depth + 1)
    }
    owners.set(pid, owner)
    return owner
  }
  const trees = new Map<number, number[]>()
  for (const pid of processes.keys()) {
    const owner = ownerOf(pid)
    if (owner === 0) continue
    const tree = trees.get(owner)
    if (tree === undefined) trees.set(owner, [pid])
    else tree.push(pid)
  }
  return trees
}
