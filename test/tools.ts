// The real programs that judge Balsa. A test that needs one asks here: where it is missing the test is skipped and says so;
// with BALSA_TEST_TOOLS=required (CI) a missing tool fails instead, so that nothing is skipped silently.
import { accessSync, constants } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const repositoryRoot: string = dirname(dirname(fileURLToPath(import.meta.url)))
/** The `balsa` command as users run it: built, by plain node. */
export const balsaMain: string = join(repositoryRoot, 'packages/orchestrator/dist/cli/main.js')

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch (reason) {
    if (reason instanceof Error) return false
    throw reason
  }
}

const onPath = (name: string): string | undefined =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isExecutable)

const kubectl120 = join(repositoryRoot, '.tools/kubernetes-client/usr/bin/kubectl')

/** Absolute paths of the tools that are here. `kubectl120` is Debian's 1.20.2, `kubectl` the newest: the one on PATH, else 1.20.2. */
export const tools: Readonly<
  Record<'etcd' | 'etcdctl' | 'h2load' | 'kubectl' | 'kubectl120', string | undefined>
> = {
  etcd: onPath('etcd'),
  etcdctl: onPath('etcdctl'),
  h2load: onPath('h2load'),
  kubectl120: isExecutable(kubectl120) ? kubectl120 : undefined,
  kubectl: onPath('kubectl') ?? (isExecutable(kubectl120) ? kubectl120 : undefined),
}

/**
 * For `describe.skipIf(missing('etcd', 'etcdctl'))(...)`: true, after saying why, when one of them is not here.
 * Throws instead where the tools are required.
 */
export const missing = (...names: (keyof typeof tools)[]): boolean => {
  const absent = names.filter((name) => tools[name] === undefined)
  if (absent.length === 0) return false
  const text = `needs ${absent.join(', ')}: run scripts/install-tools.sh`
  if (process.env['BALSA_TEST_TOOLS'] === 'required') throw new Error(text)
  process.stderr.write(`SKIPPED: ${text}\n`)
  return true
}
