// Byte strings as JavaScript strings of one character per byte. V8 keeps them at one byte a character, compares them as memcmp
// does and hashes them, so keys are ordered, looked up and stored in this form inside the member.

/** Bytes turned to text at a time; a longer argument list would overflow the stack. */
const chunkSizeBytes = 4096

/** One character per byte; `<` on two such texts orders them as their bytes. */
export function keyText(bytes: Uint8Array): string {
  if (bytes.length <= chunkSizeBytes) return String.fromCharCode.apply(undefined, numbersOf(bytes))
  let text = ''
  for (let from = 0; from < bytes.length; from += chunkSizeBytes) {
    text += String.fromCharCode.apply(
      undefined,
      numbersOf(bytes.subarray(from, from + chunkSizeBytes)),
    )
  }
  return text
}

/** The bytes of a text made by keyText. */
export function keyBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}

/** `apply` takes any array-like; its type asks for an array. */
function numbersOf(bytes: Uint8Array): number[] {
  return bytes as unknown as number[]
}
