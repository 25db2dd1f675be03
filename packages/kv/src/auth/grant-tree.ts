// What etcd says to a range that ends where it begins, or before: it holds no key, so it does no harm, and the answer is what a walk over
// etcd's tree of grants comes across. It depends on the tree's shape, so this is the same tree: red-black, by first key, in order of roles.

/** Undefined: past all keys. A grant for the empty key begins there too, and so holds none. */
type Bound = string | undefined

export interface Interval {
  readonly begin: Bound
  readonly end: Bound
}

interface Node {
  readonly grant: Interval
  left: Node | undefined
  right: Node | undefined
  isRed: boolean
  /** The furthest end in the tree below, this one's among them. */
  furthest: Bound
}

export class GrantTree {
  #root: Node | undefined

  /** In the order in which the user's roles have them. */
  constructor(grants: Iterable<Interval>) {
    for (const grant of grants) this.#insert(grant)
    measure(this.#root)
  }

  /** Whether those that the walk meets begin early enough, reach far enough, and leave no gap. */
  covers(asked: Interval): boolean {
    let reached: Interval | undefined
    let isWhole = true
    walk(this.#root, asked, (grant) => {
      if (reached === undefined) reached = grant
      else if (compare(reached.end, grant.begin) < 0) isWhole = false
      else if (compare(grant.end, reached.end) > 0) reached = { ...reached, end: grant.end }
    })
    if (reached === undefined || !isWhole) return false
    return compare(reached.begin, asked.begin) <= 0 && compare(reached.end, asked.end) >= 0
  }

  #insert(grant: Interval): void {
    const path: Node[] = []
    for (let at = this.#root; at !== undefined;) {
      path.push(at)
      at = compare(grant.begin, at.grant.begin) < 0 ? at.left : at.right
    }
    const leaf: Node = {
      grant,
      left: undefined,
      right: undefined,
      isRed: true,
      furthest: undefined,
    }
    const parent = path.at(-1)
    if (parent === undefined) this.#root = leaf
    else if (compare(grant.begin, parent.grant.begin) < 0) parent.left = leaf
    else parent.right = leaf
    this.#mend([...path, leaf])
    if (this.#root !== undefined) this.#root.isRed = false
  }

  /** No red node stays below a red one; `path` goes from the root to the new red node. */
  #mend(path: Node[]): void {
    for (;;) {
      const [above, parent, node] = path.slice(-3)
      if (above === undefined || parent?.isRed !== true || node === undefined) return
      const beside = above.left === parent ? above.right : above.left
      if (beside?.isRed !== true) {
        this.#turn(path.at(-4), above, parent, node)
        return
      }
      parent.isRed = false
      beside.isRed = false
      above.isRed = true
      path.length -= 2
    }
  }

  /** The middle one of the three, in order, becomes the upper one. */
  #turn(over: Node | undefined, above: Node, parent: Node, node: Node): void {
    const isLeft = above.left === parent
    const isInner = (parent.left === node) !== isLeft
    const upper = isInner ? node : parent
    if (isInner) {
      if (isLeft) parent.right = node.left
      else parent.left = node.right
      if (isLeft) node.left = parent
      else node.right = parent
    }
    if (isLeft) above.left = upper.right
    else above.right = upper.left
    if (isLeft) upper.right = above
    else upper.left = above
    upper.isRed = false
    above.isRed = true
    if (over === undefined) this.#root = upper
    else if (over.left === above) over.left = upper
    else over.right = upper
  }
}

function measure(node: Node | undefined): void {
  if (node === undefined) return
  node.furthest = node.grant.end
  for (const below of [node.left, node.right]) {
    measure(below)
    if (below !== undefined && compare(below.furthest, node.furthest) > 0) {
      node.furthest = below.furthest
    }
  }
}

function walk(node: Node | undefined, asked: Interval, visit: (grant: Interval) => void): void {
  if (node === undefined) return
  const { grant, furthest } = node
  const side = sideOf(asked, grant)
  if (side > 0 && sideOf({ begin: grant.begin, end: furthest }, asked) !== 0) return
  walk(node.left, asked, visit)
  if (side === 0) visit(grant)
  if (side >= 0) walk(node.right, asked, visit)
}

/** Below 0: `a` is left of `b`; above: right of it; 0: they overlap. Asked in this order, which matters where one ends before it begins. */
function sideOf(a: Interval, b: Interval): number {
  if (compare(a.begin, b.begin) < 0 && compare(a.end, b.begin) <= 0) return -1
  return compare(a.begin, b.end) >= 0 ? 1 : 0
}

function compare(a: Bound, b: Bound): number {
  if (a === b) return 0
  if (a === undefined) return 1
  return b === undefined || a < b ? -1 : 1
}
