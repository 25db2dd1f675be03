// Tells when files have changed. It looks at them from time to time, because renewers replace files and links in ways that the watchers
// of the system see differently everywhere.
import { stat } from 'node:fs/promises'

const pollMs = 1000

export interface FileWatch {
  close(): void
}

/** `onChange` is called when what `stat` says of one of the files has changed; it is waited for before the next look. */
export async function watchFiles(
  paths: readonly string[],
  onChange: () => Promise<void>,
): Promise<FileWatch> {
  let seen = await fingerprintOf(paths)
  let isLooking = false
  const look = async (): Promise<void> => {
    const now = await fingerprintOf(paths)
    if (now === seen) return
    seen = now
    await onChange()
  }
  const timer = setInterval(() => {
    if (isLooking) return
    isLooking = true
    void look().finally(() => {
      isLooking = false
    })
  }, pollMs)
  timer.unref()
  return { close: () => clearInterval(timer) }
}

async function fingerprintOf(paths: readonly string[]): Promise<string> {
  const parts = await Promise.all(
    paths.map((path) =>
      stat(path).then(
        ({ ino, size, mtimeMs }) => `${ino}:${size}:${mtimeMs}`,
        // A file that is gone for a moment is a change like any other.
        (reason: unknown) => String(reason),
      ),
    ),
  )
  return parts.join('|')
}
