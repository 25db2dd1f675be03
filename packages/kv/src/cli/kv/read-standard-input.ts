// A value from a pipe, whole.

const valueSizeBytesMax = 64 * 2 ** 20

export async function readStandardInput(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for await (const chunk of process.stdin) {
    const bytes = Buffer.from(chunk as Uint8Array)
    sizeBytes += bytes.length
    if (sizeBytes > valueSizeBytesMax) throw new Error('standard input is too large for a value')
    chunks.push(bytes)
  }
  return Buffer.concat(chunks)
}
