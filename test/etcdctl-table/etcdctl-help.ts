// What etcdctl says of itself: its verbs, and the flags of each.
import { runEtcdctl } from './run-etcdctl.ts'

/** The table of `etcdctl help`. */
export async function etcdctlVerbs(): Promise<string[]> {
  const { stdout } = await runEtcdctl(['help'])
  const [, commands = ''] = /^COMMANDS:\n([\s\S]*?)\n\n/m.exec(stdout) ?? []
  return [...commands.matchAll(/^\t(\S+(?: \S+)?)\t/gm)].map(([, verb = '']) => verb)
}

/** Long names of the flags that are the verb's own; without a verb, of those that all have. */
export async function etcdctlFlags(verb?: string): Promise<string[]> {
  const { stdout } = await runEtcdctl(['help', ...(verb ?? '').split(' ')].filter(Boolean))
  const options = stdout.slice(stdout.indexOf('\nOPTIONS:'))
  const flags = [...options.matchAll(/^ +(?:-\w, )?--([a-z-]+)/gm)].map(([, flag = '']) => flag)
  const shared = verb === undefined ? ['help'] : ['help', ...(await etcdctlFlags())]
  return flags.filter((flag) => !shared.includes(flag))
}
