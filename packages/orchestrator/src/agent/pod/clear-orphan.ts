// Ends and removes what is left of a pod whose object is gone: it was deleted while no agent looked.
import type { Runtime } from '../runtime/runtime.ts'
import type { PodFiles } from './pod-files.ts'

const orphanGraceMs = 2000

/** Resolves when no process and no file of the pod is left. */
export async function clearOrphan(files: PodFiles, runtime: Runtime): Promise<void> {
  await Promise.all(
    (await files.runDirs()).map(async (runDir) => {
      const found = await runtime.find(runDir)
      if (typeof found === 'string' || !('pid' in found)) return
      found.signal('SIGTERM')
      const timer = setTimeout(() => found.signal('SIGKILL'), orphanGraceMs)
      await found.exited
      clearTimeout(timer)
    }),
  )
  await files.remove()
}
