// `balsa join`: this machine becomes a node of a cluster that runs elsewhere, and its agent runs in this process. The first time it needs a
// token; after that its folder says who it is.
import { readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { joinNode } from '../agent/join/join-node.ts'
import { machineName } from '../agent/node/machine-name.ts'
import { isMissing, runsScript } from '../agent/runtime/process-identity.ts'
import { addJoinFlags, type JoinFlags, parseJoinUrl } from './join-flags.ts'
import { prepareDataDir } from './prepare-data-dir.ts'
import { stopOnSignal } from './stop-on-signal.ts'

export function registerJoinCommand(program: Command): void {
  const command = program
    .command('join')
    .description('make this machine a node of a running cluster')
    .argument(
      '[url]',
      'the apiserver: https://HOST:PORT; left out: the one that was joined before',
      parseJoinUrl,
    )
    .option('--data-dir <dir>', 'where the node keeps everything', '.balsa-node')
    .option('--stop-pods', "end the pods' processes too when balsa is stopped; else they run on")
  addJoinFlags(command).action((url: string | undefined, flags: JoinFlags) => runJoin(url, flags))
}

/** Returns when the node is registered; the process goes on until a signal. */
export async function runJoin(url: string | undefined, flags: JoinFlags): Promise<void> {
  const startedAt = performance.now()
  const dataDir = resolve(flags.dataDir)
  await prepareDataDir(flags.dataDir)
  await claimFolder(dataDir, flags.dataDir)
  const node = await joinNode({
    url,
    token: flags.token,
    authorityHashes: flags.caCertHash ?? [],
    authority: flags.caCert === undefined ? undefined : readAuthority(flags.caCert),
    nodeName: flags.nodeName,
    defaultName: machineName(),
    dataDir,
    stopPods: flags.stopPods === true,
    onError: (error) => {
      process.stderr.write(`balsa: ${error instanceof Error ? error.message : String(error)}\n`)
    },
  })
  stopOnSignal(() => node.close())
  await node.ready
  const pods = flags.stopPods === true ? 'pods end with it' : 'pods run on'
  const tookS = ((performance.now() - startedAt) / 1000).toFixed(1)
  process.stdout.write(
    `balsa has joined as node ${node.nodeName}, after ${tookS} s. Stop it with Ctrl-C; ${pods}.

  Kubernetes API  ${node.url}
  data            ${flags.dataDir}
`,
  )
}

const readAuthority = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch (reason) {
    const why = reason instanceof Error ? reason.message : String(reason)
    throw new Error(`--ca-cert ${path} cannot be read (${why})`, { cause: reason })
  }
}

/** Two agents on one folder would start every pod twice. */
async function claimFolder(dataDir: string, shown: string): Promise<void> {
  const path = join(dataDir, 'pid')
  try {
    const pid = Number(await readFile(path, 'utf8'))
    const isOther = Number.isSafeInteger(pid) && pid > 0 && pid !== process.pid
    if (isOther && (await runsScript(pid, process.argv[1] ?? '')))
      throw new Error(`--data-dir ${shown} is in use by process ${pid}: choose another`)
  } catch (reason) {
    if (!isMissing(reason)) throw reason
  }
  await writeFile(path, `${process.pid}\n`, { mode: 0o600 })
}
