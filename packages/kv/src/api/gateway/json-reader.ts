// Reads JSON from bytes that arrive bit by bit, as Go's decoder does: value after value, with its words for what is wrong, which are
// what etcd's gateway answers. Values keep their source, since etcd reads numbers out of strings.

export type JsonNode =
  | { readonly kind: 'object'; readonly fields: ReadonlyMap<string, JsonNode> }
  | { readonly kind: 'array'; readonly elements: readonly JsonNode[] }
  /** `source` is what stands between the quotes. */
  | { readonly kind: 'string'; readonly source: Buffer }
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'null' }

/** The bytes are not JSON; `message` has Go's words. */
export class JsonError extends Error {
  override readonly name = 'JsonError'
}
/** The bytes end within a value. */
export class JsonCut extends Error {
  override readonly name = 'JsonCut'
}

/** Values within values; deeper ones are refused before they can cost the stack. */
const depthMax = 1000
const quote = 0x22
const backslash = 0x5c
const literals = { t: 'true', f: 'false', n: 'null' } as const

export class JsonReader {
  #bytes: Buffer
  #pos = 0
  readonly #later: Buffer[] = []
  #laterBytes = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  /** Adds bytes that came later. They are put together when a value is read. */
  push(bytes: Buffer): void {
    this.#later.push(bytes)
    this.#laterBytes += bytes.length
  }

  get unreadBytes(): number {
    return this.#bytes.length - this.#pos + this.#laterBytes
  }

  /** The next value; undefined if nothing but white space is left. After JsonCut the value can be read again. */
  next(): JsonNode | undefined {
    if (this.#later.length > 0) this.#gather()
    this.#skipSpace()
    const start = this.#pos
    if (start === this.#bytes.length) return undefined
    try {
      return this.#value(0)
    } catch (reason) {
      this.#pos = start
      throw reason
    }
  }

  /** Throws JsonError if anything but white space is left. */
  end(): void {
    this.#skipSpace()
    if (this.#pos < this.#bytes.length) throw this.#bad('after top-level value')
  }

  #gather(): void {
    this.#bytes = Buffer.concat([this.#bytes.subarray(this.#pos), ...this.#later])
    this.#pos = 0
    this.#later.length = 0
    this.#laterBytes = 0
  }

  #value(depth: number): JsonNode {
    if (depth > depthMax) throw new JsonError('exceeded max depth')
    const char = this.#peek()
    switch (char) {
      case '{':
        return this.#object(depth)
      case '[':
        return this.#array(depth)
      case '"':
        return { kind: 'string', source: this.#string() }
      case 't':
      case 'f':
      case 'n':
        return this.#literal(literals[char])
      default:
        if (!/[-0-9]/.test(char)) throw this.#bad('looking for beginning of value')
        return { kind: 'number', text: this.#number() }
    }
  }

  #object(depth: number): JsonNode {
    const fields = new Map<string, JsonNode>()
    this.#pos++
    this.#skipSpace()
    if (this.#peek() === '}') {
      this.#pos++
      return { kind: 'object', fields }
    }
    for (;;) {
      if (this.#peek() !== '"') throw this.#bad('looking for beginning of object key string')
      const name = textOf(this.#string())
      this.#skipSpace()
      this.#expect(':', 'after object key')
      this.#skipSpace()
      fields.set(name, this.#value(depth + 1))
      this.#skipSpace()
      const char = this.#peek()
      if (char !== ',' && char !== '}') throw this.#bad('after object key:value pair')
      this.#pos++
      if (char === '}') return { kind: 'object', fields }
      this.#skipSpace()
    }
  }

  #array(depth: number): JsonNode {
    const elements: JsonNode[] = []
    this.#pos++
    this.#skipSpace()
    if (this.#peek() === ']') {
      this.#pos++
      return { kind: 'array', elements }
    }
    for (;;) {
      elements.push(this.#value(depth + 1))
      this.#skipSpace()
      const char = this.#peek()
      if (char !== ',' && char !== ']') throw this.#bad('after array element')
      this.#pos++
      if (char === ']') return { kind: 'array', elements }
      this.#skipSpace()
    }
  }

  /** What stands between the quotes. */
  #string(): Buffer {
    const start = ++this.#pos
    for (;;) {
      const byte = this.#byte()
      if (byte === quote) return this.#bytes.subarray(start, this.#pos++)
      if (byte < 0x20) throw this.#bad('in string literal')
      this.#pos++
      if (byte === backslash) this.#escape()
    }
  }

  #escape(): void {
    const char = this.#peek()
    if (!/["\\/bfnrtu]/.test(char)) throw this.#bad('in string escape code')
    this.#pos++
    if (char !== 'u') return
    for (let i = 0; i < 4; i++) {
      if (!/[0-9a-fA-F]/.test(this.#peek())) {
        throw this.#bad('in \\u hexadecimal character escape')
      }
      this.#pos++
    }
  }

  #number(): string {
    const start = this.#pos
    if (this.#peek() === '-') this.#pos++
    if (this.#maybePeek() === '0') this.#pos++
    else this.#digits('in numeric literal')
    if (this.#maybePeek() === '.') {
      this.#pos++
      this.#digits('after decimal point in numeric literal')
    }
    if (/[eE]/.test(this.#maybePeek())) {
      this.#pos++
      if (/[-+]/.test(this.#maybePeek())) this.#pos++
      this.#digits('in exponent of numeric literal')
    }
    return this.#bytes.toString('latin1', start, this.#pos)
  }

  #digits(context: string): void {
    if (!/\d/.test(this.#peek())) throw this.#bad(context)
    while (/\d/.test(this.#maybePeek())) this.#pos++
  }

  #literal(word: 'true' | 'false' | 'null'): JsonNode {
    for (const char of word) {
      this.#expect(char, `in literal ${word} (expecting ${quoted(char.charCodeAt(0))})`)
    }
    return word === 'null' ? { kind: 'null' } : { kind: 'bool', value: word === 'true' }
  }

  #expect(char: string, context: string): void {
    if (this.#peek() !== char) throw this.#bad(context)
    this.#pos++
  }

  #skipSpace(): void {
    while (/[ \t\r\n]/.test(this.#maybePeek())) this.#pos++
  }

  #byte(): number {
    const byte = this.#bytes[this.#pos]
    if (byte === undefined) throw new JsonCut('unexpected EOF')
    return byte
  }

  #peek(): string {
    return String.fromCharCode(this.#byte())
  }

  /** '' at the end. */
  #maybePeek(): string {
    const byte = this.#bytes[this.#pos]
    return byte === undefined ? '' : String.fromCharCode(byte)
  }

  #bad(context: string): JsonError {
    return new JsonError(`invalid character ${quoted(this.#byte())} ${context}`)
  }
}

/** The one value of a text, to its very end; undefined if there is none. */
export function readJson(bytes: Buffer): JsonNode | undefined {
  const reader = new JsonReader(bytes)
  const node = reader.next()
  reader.end()
  return node
}

/** The text of a string's source; what is no UTF-8 becomes U+FFFD. */
export function textOf(source: Buffer): string {
  const text = source.toString('utf8')
  return text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text
}

const shortEscapes: Readonly<Record<number, string>> = {
  0x07: '\\a',
  0x08: '\\b',
  0x09: '\\t',
  0x0a: '\\n',
  0x0b: '\\v',
  0x0c: '\\f',
  0x0d: '\\r',
  0x27: "\\'",
  [backslash]: '\\\\',
}

/** A byte as Go quotes it: taken for a character of Latin-1. */
function quoted(byte: number): string {
  const short = shortEscapes[byte]
  if (short !== undefined) return `'${short}'`
  if (byte < 0x20 || byte === 0x7f) return `'\\x${byte.toString(16).padStart(2, '0')}'`
  if ((byte > 0x7f && byte < 0xa1) || byte === 0xad) return `'\\u00${byte.toString(16)}'`
  return `'${String.fromCharCode(byte)}'`
}
