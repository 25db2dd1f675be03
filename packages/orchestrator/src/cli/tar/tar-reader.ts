// Reads a tar archive as it comes in, piece by piece: ustar, with GNU's and POSIX' long names. Takes hostile bytes: what is no archive
// throws, names are only told, never used.

export interface TarEntry {
  readonly name: string
  readonly type: 'file' | 'folder' | 'link' | 'other'
  readonly mode: number
  /** Where a symbolic link leads. */
  readonly target: string
}
export interface TarHandlers {
  begin(entry: TarEntry): void
  /** Bytes of the file that began last. */
  data(bytes: Buffer): void
  end(): void
}

const blockBytes = 512
const longNameBytesMax = 1024 * 1024
const types: Readonly<Record<string, TarEntry['type']>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '5': 'folder',
  '2': 'link',
}
/** The entries that only tell about the next: GNU's names, POSIX' records. */
const aboutNext = new Set(['L', 'K', 'x'])

export class TarReader {
  readonly #handlers: TarHandlers
  readonly #header = Buffer.alloc(blockBytes)
  #headerBytes = 0
  #bodyLeft = 0
  #paddingLeft = 0
  /** What the body that is read belongs to. */
  #flag = ''
  #told: Buffer[] = []
  #name: string | undefined
  #target: string | undefined

  constructor(handlers: TarHandlers) {
    this.#handlers = handlers
  }

  push(chunk: Buffer): void {
    let rest = chunk
    while (rest.length > 0) {
      const taken = this.#take(rest)
      rest = rest.subarray(taken)
    }
  }

  #take(bytes: Buffer): number {
    if (this.#bodyLeft > 0) {
      const part = bytes.subarray(0, this.#bodyLeft)
      this.#bodyLeft -= part.length
      if (aboutNext.has(this.#flag)) this.#told.push(part)
      else if (types[this.#flag] === 'file') this.#handlers.data(part)
      if (this.#bodyLeft === 0) this.#endBody()
      return part.length
    }
    if (this.#paddingLeft > 0) {
      const skipped = Math.min(this.#paddingLeft, bytes.length)
      this.#paddingLeft -= skipped
      return skipped
    }
    const copied = bytes.copy(this.#header, this.#headerBytes)
    this.#headerBytes += copied
    if (this.#headerBytes === blockBytes) {
      this.#headerBytes = 0
      this.#readHeader(this.#header)
    }
    return copied
  }

  #readHeader(header: Buffer): void {
    // Blocks of zeros end an archive, and fill it up.
    if (header.every((byte) => byte === 0)) return
    if (numberAt(header, 148, 8) !== checksum(header)) throw new Error('tar contents corrupted')
    const sizeBytes = numberAt(header, 124, 12)
    this.#flag = String.fromCharCode(header[156] ?? 0)
    if (aboutNext.has(this.#flag) && sizeBytes > longNameBytesMax)
      throw new Error('tar contents corrupted: a name is too long')
    this.#told = []
    this.#bodyLeft = sizeBytes
    this.#paddingLeft = (blockBytes - (sizeBytes % blockBytes)) % blockBytes
    // Records for all entries tell nothing that is needed here.
    if (!aboutNext.has(this.#flag) && this.#flag !== 'g') {
      const prefix = header.toString('latin1', 257, 262) === 'ustar' ? textAt(header, 345, 155) : ''
      const name = `${prefix === '' ? '' : `${prefix}/`}${textAt(header, 0, 100)}`
      this.#handlers.begin({
        name: this.#name ?? name,
        type: types[this.#flag] ?? 'other',
        mode: numberAt(header, 100, 8) & 0o777,
        target: this.#target ?? textAt(header, 157, 100),
      })
      this.#name = undefined
      this.#target = undefined
    }
    if (sizeBytes === 0) this.#endBody()
  }

  #endBody(): void {
    const body = Buffer.concat(this.#told)
    if (this.#flag === 'L') this.#name = textAt(body, 0, body.length)
    else if (this.#flag === 'K') this.#target = textAt(body, 0, body.length)
    else if (this.#flag === 'x') {
      const records = recordsOf(body)
      this.#name = records.get('path') ?? this.#name
      this.#target = records.get('linkpath') ?? this.#target
    } else if (types[this.#flag] === 'file') this.#handlers.end()
  }
}

const textAt = (bytes: Buffer, start: number, length: number): string => {
  const field = bytes.subarray(start, start + length)
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end < 0 ? field.length : end)
}

/** Octal, or binary where the first bit says so. */
const numberAt = (bytes: Buffer, start: number, length: number): number => {
  const isBinary = ((bytes[start] ?? 0) & 0x80) !== 0
  const value = isBinary
    ? bytes.readUIntBE(start + length - 6, 6)
    : Number.parseInt(textAt(bytes, start, length).trim() || '0', 8)
  if (!Number.isSafeInteger(value)) throw new Error('tar contents corrupted')
  return value
}

/** As if its own field were spaces. */
export const checksum = (header: Buffer): number => {
  let sum = 0
  for (const [index, byte] of header.entries()) sum += index >= 148 && index < 156 ? 0x20 : byte
  return sum
}

/** `LENGTH KEY=VALUE\n`, one after the other. */
const recordsOf = (body: Buffer): ReadonlyMap<string, string> => {
  const records = new Map<string, string>()
  let at = 0
  while (at < body.length) {
    const space = body.indexOf(0x20, at)
    const length = space < 0 ? 0 : Number(body.toString('latin1', at, space))
    if (!Number.isSafeInteger(length) || length <= space - at || at + length > body.length)
      throw new Error('tar contents corrupted')
    const [key = '', ...value] = body.toString('utf8', space + 1, at + length - 1).split('=')
    records.set(key, value.join('='))
    at += length
  }
  return records
}
