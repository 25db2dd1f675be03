// A running fingerprint of everything that happened in a run: two runs with the same hash did the same things in the same order. FNV-1a
// in two 32-bit lanes; not for anything hostile.

export class TraceHash {
  #low = 0x811c9dc5
  #high = 0x01000193

  add(text: string): void {
    for (let i = 0; i < text.length; i++) this.#mix(text.charCodeAt(i))
    this.#mix(0x1f)
  }

  addNumber(value: number): void {
    this.#mix(value >>> 0)
    this.#mix(Math.floor(value / 2 ** 32) >>> 0)
  }

  #mix(value: number): void {
    this.#low = Math.imul(this.#low ^ value, 0x01000193) >>> 0
    this.#high = Math.imul(this.#high ^ value ^ (this.#low >>> 7), 0x85ebca6b) >>> 0
  }

  toString(): string {
    return [this.#high, this.#low].map((lane) => lane.toString(16).padStart(8, '0')).join('')
  }
}
