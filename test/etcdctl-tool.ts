// Debian's etcdctl, run to its end.
import { run } from './balsa-process.ts'
import { tools } from './tools.ts'

/** Resolves to its standard output; rejects with what it said when it fails. */
export async function etcdctl(url: string, ...args: readonly string[]): Promise<string> {
  const env = { ETCDCTL_API: '3', ETCDCTL_ENDPOINTS: url }
  const { code, stdout, stderr } = await run(tools.etcdctl ?? 'etcdctl', args, { env })
  if (code === 0) return stdout
  throw new Error(`etcdctl ${args.join(' ')} ended with ${code}: ${stderr}`)
}
