// Shows how far a long command is, on standard error, and only if a person looks at it.

const drawIntervalMs = 100
const widthColumns = 30

export class ProgressBar implements Disposable {
  readonly #label: string
  readonly #isShown: boolean = process.stderr.isTTY
  #drawnAtMs = 0
  #isDrawn = false

  constructor(label: string) {
    this.#label = label
  }

  /** Without a total the count alone is shown. */
  show(done: number, total: number | undefined, text: string): void {
    const now = performance.now()
    if (!this.#isShown || now - this.#drawnAtMs < drawIntervalMs) return
    this.#drawnAtMs = now
    this.#isDrawn = true
    process.stderr.write(`\r\x1b[K${this.#label} ${barOf(done, total)}${text}`)
  }

  /** Takes it away again. */
  [Symbol.dispose](): void {
    if (this.#isDrawn) process.stderr.write('\r\x1b[K')
    this.#isDrawn = false
  }
}

function barOf(done: number, total: number | undefined): string {
  if (total === undefined || total === 0) return ''
  const share = Math.min(1, done / total)
  const filled = Math.round(share * widthColumns)
  const bar = '#'.repeat(filled) + '.'.repeat(widthColumns - filled)
  return `[${bar}] ${String(Math.round(share * 100)).padStart(3)} % `
}
