// RFC 7541 appendix B. The code is canonical, so the lengths say everything: codes are given out in order of length, then of symbol.
import { Http2Error, http2ErrorCode } from '../http2/http2-protocol.ts'

const endOfString = 256
// prettier-ignore
// oxfmt-ignore
const codeLengths = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
]
const codeLengthMax = 30

/** Two slots a node, for bit 0 and 1: a node's number, or -1 - symbol for a leaf. */
const tree = buildTree()

function buildTree(): Int16Array {
  const nodes = [0, 0]
  let code = 0
  for (let length = 1; length <= codeLengthMax; length++) {
    for (let symbol = 0; symbol < codeLengths.length; symbol++) {
      if (codeLengths[symbol] === length) insert(nodes, code++, length, symbol)
    }
    code <<= 1
  }
  return Int16Array.from(nodes)
}

function insert(nodes: number[], code: number, length: number, symbol: number): void {
  let node = 0
  for (let bit = length - 1; bit > 0; bit--) {
    const slot = node * 2 + ((code >>> bit) & 1)
    if (nodes[slot] === 0) {
      nodes[slot] = nodes.length / 2
      nodes.push(0, 0)
    }
    node = nodes[slot] ?? 0
  }
  nodes[node * 2 + (code & 1)] = -1 - symbol
}

/** Throws COMPRESSION_ERROR for padding that is not up to 7 one bits, and for the end-of-string symbol. */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number): string {
  let text = ''
  let node = 0
  let paddingBits = 0
  let isPadding = true
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0
    for (let bit = 7; bit >= 0; bit--) {
      const one = (byte >>> bit) & 1
      const next = tree[node * 2 + one] ?? 0
      if (next >= 0) {
        node = next
        paddingBits++
        isPadding &&= one === 1
        continue
      }
      const symbol = -1 - next
      if (symbol === endOfString) throw huffmanError()
      text += String.fromCharCode(symbol)
      node = 0
      paddingBits = 0
      isPadding = true
    }
  }
  if (paddingBits > 7 || !isPadding) throw huffmanError()
  return text
}

function huffmanError(): Http2Error {
  return new Http2Error(http2ErrorCode.compressionError, 'bad Huffman code')
}
