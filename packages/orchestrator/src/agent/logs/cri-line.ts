// One line of a container log in CRI format: `TIME STREAM TAG TEXT`, where TAG is F for a full line and P for a part of a longer one.

export type LogStream = 'stdout' | 'stderr'

const newline = 0x0a
const space = 0x20
/** Longer lines are written in parts of this size. */
export const lineBytesMax = 16_384

/** Turns the chunks of one stream into framed lines; a line without its end is kept until more comes. */
export class LineFramer {
  readonly #stream: LogStream
  #rest: Buffer = Buffer.alloc(0)

  constructor(stream: LogStream) {
    this.#stream = stream
  }

  /** Bytes taken and not yet framed. */
  get pendingBytes(): number {
    return this.#rest.length
  }

  frame(chunk: Buffer, time: string): Buffer[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const framed: Buffer[] = []
    let start = 0
    for (;;) {
      const end = bytes.indexOf(newline, start)
      const stop = end < 0 ? bytes.length : end
      while (stop - start > lineBytesMax) {
        framed.push(this.#line(bytes.subarray(start, start + lineBytesMax), 'P', time))
        start += lineBytesMax
      }
      if (end < 0) break
      framed.push(this.#line(bytes.subarray(start, end), 'F', time))
      start = end + 1
    }
    this.#rest = Buffer.from(bytes.subarray(start))
    return framed
  }

  /** The stream ended: what is left is its last line. */
  flush(time: string): Buffer[] {
    if (this.#rest.length === 0) return []
    const line = this.#line(this.#rest, 'F', time)
    this.#rest = Buffer.alloc(0)
    return [line]
  }

  #line(text: Buffer, tag: 'F' | 'P', time: string): Buffer {
    return Buffer.concat([Buffer.from(`${time} ${this.#stream} ${tag} `), text, Buffer.from('\n')])
  }
}

export interface CriLine {
  readonly time: string
  readonly isFull: boolean
  readonly text: Buffer
}

/** Undefined for a line that is not in CRI format, e.g. one that was cut off when the machine went down. */
export function parseCriLine(line: Buffer): CriLine | undefined {
  const first = line.indexOf(space)
  const second = first < 0 ? -1 : line.indexOf(space, first + 1)
  const third = second < 0 ? -1 : line.indexOf(space, second + 1)
  if (third < 0) return undefined
  const time = line.toString('latin1', 0, first)
  const tag = line.toString('latin1', second + 1, third)
  if (tag !== 'F' && tag !== 'P') return undefined
  return { time, isFull: tag === 'F', text: line.subarray(third + 1) }
}
