// Writes a file so that it has either its old content or the new one, also after a crash.
import { open, rename } from 'node:fs/promises'

export const replaceFile = async (path: string, text: string, mode: number): Promise<void> => {
  const temporary = `${path}.new`
  const file = await open(temporary, 'w', mode)
  try {
    await file.chmod(mode)
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
}
