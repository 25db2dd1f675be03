// `balsa up`: members, apiserver, scheduler, controllers and agents of one machine, in one process (members in processes of their
// own with --members 3). Everything it keeps is under --data-dir.
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openMember, type Kv } from '@balsa/kv'
import { connect } from '@balsa/kv/client'
import { compileEarly } from '@balsa/kv/compile-early'
import { InvalidArgumentError, type Command } from 'commander'
import { KvStore } from '../apiserver/kv-store.ts'
import { startCluster, type Cluster } from '../cluster.ts'
import { fakeNodesMax } from '../fake/fake-node.ts'
import { type AccessFlags, accessOptions, addAccessFlags } from './access-flags.ts'
import { addJoinFlags, type JoinFlags, parseJoinUrl } from './join-flags.ts'
import { startMemberProcesses } from './member-processes.ts'
import { prepareDataDir } from './prepare-data-dir.ts'
import { stopOnSignal } from './stop-on-signal.ts'
import { agreeTopology } from './topology.ts'

interface UpOptions extends AccessFlags, JoinFlags {
  readonly members: number
  readonly agents: number
  readonly fakeNodes: number
  readonly clientUrl: URL
  readonly peerUrl: URL
  readonly apiUrl: URL
  readonly etcdServers?: readonly string[]
  readonly leaderElect: boolean
  readonly join?: string
}

/** Where the cluster keeps its objects, and how to end it. */
interface Backing {
  readonly kv: Kv
  /** Lines for the table that `balsa up` prints. */
  readonly places: readonly (readonly [string, string])[]
  close(): Promise<void>
}

const membersMax = 9
const agentsMax = 100
const firstAnswerTimeoutMs = 30_000

const parseUrl =
  (schemes: readonly string[]) =>
  (text: string): URL => {
    const url = URL.canParse(text) ? new URL(text) : undefined
    if (url === undefined || !schemes.includes(url.protocol) || url.port === '') {
      throw new InvalidArgumentError(`write it like ${schemes[0]}//127.0.0.1:PORT`)
    }
    return url
  }
const parseCount =
  (min: number, max: number) =>
  (text: string): number => {
    const count = Number(text)
    if (!Number.isInteger(count) || count < min || count > max) {
      throw new InvalidArgumentError(`a whole number from ${min} to ${max}`)
    }
    return count
  }
const parseMembers = (text: string): number => {
  const count = parseCount(1, membersMax)(text)
  if (count % 2 === 0)
    throw new InvalidArgumentError('an odd number: an even one survives no more failures')
  return count
}

export function registerUpCommand(program: Command): void {
  const command = program
    .command('up')
    .description('start a whole cluster on this machine')
    .option('--data-dir <dir>', 'where everything is kept', '.balsa')
    .option(
      '--members <n>',
      'members of the store; more than one run as processes of their own',
      parseMembers,
      1,
    )
    .option('--agents <n>', 'agents (nodes) that run pods', parseCount(0, agentsMax), 1)
    .option(
      '--fake-nodes <n>',
      'nodes that only say they run pods, for tests of scale',
      parseCount(0, fakeNodesMax),
      0,
    )
    .option(
      '--client-url <url>',
      'where etcd clients connect',
      parseUrl(['http:']),
      new URL('http://127.0.0.1:2379'),
    )
    .option(
      '--peer-url <url>',
      'where members connect to each other',
      parseUrl(['http:']),
      new URL('http://127.0.0.1:2380'),
    )
    .option(
      '--api-url <url>',
      'where Kubernetes clients connect',
      parseUrl(['https:']),
      new URL('https://127.0.0.1:6443'),
    )
    .option(
      '--etcd-servers <urls>',
      'keep the objects in this etcd or Balsa cluster instead of own members',
      (text) => text.split(','),
    )
    .option(
      '--no-leader-elect',
      'with --etcd-servers: act without asking whether another balsa on the same store does',
    )
    .option('--stop-pods', "end the pods' processes too when balsa is stopped; else they run on")
    .option('--join <url>', 'no cluster of its own: what balsa join does', parseJoinUrl)
  addJoinFlags(addAccessFlags(command)).action(async (options: UpOptions) => {
    if (options.join === undefined) await up(options)
    // With its X.509 library it costs a tenth of a second.
    else await (await import('./join-command.ts')).runJoin(options.join, options)
  })
}

async function up(options: UpOptions): Promise<void> {
  const startedAt = performance.now()
  compileEarly()
  const dataDir = resolve(options.dataDir)
  await prepareDataDir(options.dataDir)
  const parts: { close(): Promise<void> }[] = []
  const close = async (): Promise<void> => {
    for (const part of parts.splice(0).reverse()) await part.close()
  }
  // From the start: whoever stops a `balsa up` that is still starting leaves nothing behind either.
  stopOnSignal(close)
  try {
    const backing = await openBacking(options, dataDir)
    parts.push(backing)
    const cluster = await startCluster({
      store: new KvStore(backing.kv),
      dataDir,
      apiUrl: options.apiUrl.href,
      agents: options.agents,
      ...(options.fakeNodes === 0 ? {} : { fakeNodes: { count: options.fakeNodes } }),
      leaderElect: options.etcdServers !== undefined && options.leaderElect,
      stopPods: options.stopPods === true,
      access: accessOptions(options),
      onError: (error) => process.stderr.write(`balsa: ${error.message}\n`),
    })
    parts.push(cluster)
    process.stdout.write(banner(options, backing, cluster, performance.now() - startedAt))
  } catch (reason) {
    await close()
    throw inFlagsOfUp(reason)
  }
}

/** Members name their own flags; whoever typed `balsa up` knows these by other names. */
function inFlagsOfUp(reason: unknown): unknown {
  if (!(reason instanceof Error)) return reason
  const message = reason.message
    .replace('--listen-client-urls', '--client-url')
    .replace('--listen-peer-urls', '--peer-url')
  return message === reason.message ? reason : new Error(message, { cause: reason })
}

async function openBacking(options: UpOptions, dataDir: string): Promise<Backing> {
  if (options.etcdServers !== undefined) {
    const kv = await connect({ endpoints: options.etcdServers, protocol: 'grpc' })
    return { kv, places: [['store', options.etcdServers.join(', ')]], close: () => kv.close() }
  }
  const asked = { members: options.members, peerUrl: options.peerUrl.origin }
  const { peerUrl } = await agreeTopology(dataDir, asked)
  if (options.members > 1) return openMembers(options, dataDir)
  const member = await openMember({
    name: 'm1',
    dataDir: join(dataDir, 'members', 'm1'),
    listenClientUrls: [options.clientUrl.origin],
    advertiseClientUrls: [options.clientUrl.origin],
    listenPeerUrls: [options.peerUrl.origin],
    initialAdvertisePeerUrls: [peerUrl],
    initialCluster: `m1=${peerUrl}`,
  })
  return {
    kv: member.kv,
    places: [['etcd API', options.clientUrl.origin]],
    close: () => member.close(),
  }
}

async function openMembers(options: UpOptions, dataDir: string): Promise<Backing> {
  const processes = await startMemberProcesses({
    main: fileURLToPath(new URL('../cli/main.js', import.meta.url)),
    dataDir,
    count: options.members,
    clientUrl: options.clientUrl,
    peerUrl: options.peerUrl,
    onRestart: (name, why) =>
      process.stderr.write(`balsa: member ${name} died (${why}), starting it again\n`),
  })
  const endpoints = processes.members.map((member) => member.clientUrl)
  try {
    const kv = await connect({
      endpoints,
      protocol: 'native',
      connectTimeoutMs: firstAnswerTimeoutMs,
    })
    await Promise.race([processes.failed, firstAnswer(kv)])
    processes.ready()
    return {
      kv,
      places: processes.members.map(
        (member) =>
          [`etcd API ${member.name}`, `${member.clientUrl}  (process ${member.pid})`] as const,
      ),
      close: async () => {
        await kv.close()
        await processes.close()
      },
    }
  } catch (reason) {
    await processes.close()
    throw reason
  }
}

/** Resolves when a quorum answers a linearizable read. */
async function firstAnswer(kv: Kv): Promise<void> {
  const deadline = AbortSignal.timeout(firstAnswerTimeoutMs)
  for (;;) {
    try {
      await kv.get('health', { signal: deadline })
      return
    } catch (reason) {
      if (deadline.aborted)
        throw new Error(
          `the members found no leader within ${firstAnswerTimeoutMs / 1000} s: see the logs below --data-dir`,
          { cause: reason },
        )
      await new Promise((wake) => setTimeout(wake, 50))
    }
  }
}

const nodesShownMax = 5

const nodesText = (names: readonly string[]): string => {
  const shown = names.slice(0, nodesShownMax).join(', ') || 'none'
  return names.length > nodesShownMax ? `${shown} and ${names.length - nodesShownMax} more` : shown
}

function banner(options: UpOptions, backing: Backing, cluster: Cluster, tookMs: number): string {
  const kubeconfig = join(options.dataDir, 'kubeconfig')
  const rows: (readonly [string, string])[] = [
    ...backing.places,
    ['Kubernetes API', cluster.url],
    ['kubeconfig', kubeconfig],
    ['nodes', nodesText(cluster.nodes)],
    ['data', options.dataDir],
  ]
  const width = Math.max(...rows.map(([label]) => label.length))
  const etcdctl =
    options.etcdServers === undefined
      ? `  etcdctl --endpoints ${options.clientUrl.origin} put hello world\n`
      : ''
  const pods = options.stopPods === true ? 'pods end with it' : 'pods run on'
  return `balsa is up, after ${(tookMs / 1000).toFixed(1)} s. Stop it with Ctrl-C; ${pods}.

${rows.map(([label, place]) => `  ${label.padEnd(width)}  ${place}`).join('\n')}

Try in another terminal:
  export KUBECONFIG=${kubeconfig}
  kubectl apply -f examples/hello.yaml
  kubectl get pods -o wide
${etcdctl}`
}
