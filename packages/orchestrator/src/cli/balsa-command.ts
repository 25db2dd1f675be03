// What the `balsa` command does, once main.ts has chosen where its code comes from. Every failure of a verb is one line on stderr and exit code 1. Only what the verb needs is loaded: most of the
// time of a short command would else go into reading the code of all others.
import { createRequire } from 'node:module'
import { basename } from 'node:path'
import { Command } from 'commander'

type Register = (program: Command) => void

const requireFile = createRequire(import.meta.url)

/** What import() gives, read as require() reads: import() asks the thread pool four times for each of several hundred files. */
const load = async <T>(path: string, imported: () => Promise<T>): Promise<T> => {
  // Only some releases of Node can; what is loaded once, import() takes from there.
  if (process.features.require_module === true) requireFile(path)
  return imported()
}

const kvCli = (): Promise<typeof import('@balsa/kv/cli')> =>
  load('@balsa/kv/cli', () => import('@balsa/kv/cli'))
const loadApi = async (): Promise<Register> =>
  (await load('./api-commands.js', () => import('./api-commands.ts'))).registerApiCommands
const loadUp = async (): Promise<Register> =>
  (await load('./up.js', () => import('./up.ts'))).registerUpCommand
const loadJoin = async (): Promise<Register> =>
  (await load('./join-command.js', () => import('./join-command.ts'))).registerJoinCommand
const loadKubeconfig = async (): Promise<Register> =>
  (await load('./kubeconfig-command.js', () => import('./kubeconfig-command.ts')))
    .registerKubeconfigCommand
const loadBackup = async (): Promise<Register> =>
  (await load('./backup-command.js', () => import('./backup-command.ts'))).registerBackupCommand
const loadMember = async (): Promise<Register> => (await kvCli()).registerMemberCommand
const loadKv = async (): Promise<Register> => (await kvCli()).registerKvCommand

const verbs: Readonly<Record<string, () => Promise<Register>>> = {
  up: loadUp,
  join: loadJoin,
  member: loadMember,
  kv: loadKv,
  apply: loadApi,
  get: loadApi,
  delete: loadApi,
  scale: loadApi,
  logs: loadApi,
  describe: loadApi,
  exec: loadApi,
  explain: loadApi,
  attach: loadApi,
  'port-forward': loadApi,
  top: loadApi,
  events: loadApi,
  'api-versions': loadApi,
  label: loadApi,
  annotate: loadApi,
  cordon: loadApi,
  uncordon: loadApi,
  drain: loadApi,
  patch: loadApi,
  rollout: loadApi,
  'api-resources': loadApi,
  create: loadApi,
  expose: loadApi,
  autoscale: loadApi,
  run: loadApi,
  diff: loadApi,
  edit: loadApi,
  'cluster-info': loadApi,
  auth: loadApi,
  wait: loadApi,
  taint: loadApi,
  set: loadApi,
  config: loadApi,
  cp: loadApi,
  token: loadApi,
  kubeconfig: loadKubeconfig,
  backup: loadBackup,
}

async function runBalsa(): Promise<void> {
  const program = new Command('balsa')
    .description(
      'A key-value store that speaks etcd v3 and an orchestrator that speaks the Kubernetes API',
    )
    .version('0.1.0')
    .showSuggestionAfterError()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'balsa: ')) })

  const verb = process.argv[2] ?? ''
  const own = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined
  const loads =
    own === undefined
      ? [loadUp, loadJoin, loadMember, loadKv, loadApi, loadKubeconfig, loadBackup]
      : [own]
  if (verb !== '--version') for (const each of loads) (await each())(program)
  await program.parseAsync()
}

/** A link named `etcd` to this file is an etcd server to those who start it. */
const isEtcd = basename(process.argv[1] ?? '') === 'etcd'

// Started by `balsa up`, a member lives no longer than its parent.
if (process.send !== undefined) {
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
}

try {
  if (isEtcd) await (await kvCli()).runAsEtcd(process.argv.slice(2))
  else await runBalsa()
} catch (reason) {
  process.stderr.write(
    `${isEtcd ? 'etcd' : 'balsa'}: ${reason instanceof Error ? reason.message : String(reason)}\n`,
  )
  const hasCode = reason instanceof Error && 'exitCode' in reason
  process.exitCode = hasCode && typeof reason.exitCode === 'number' ? reason.exitCode : 1
}
