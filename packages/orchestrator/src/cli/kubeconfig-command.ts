// `balsa kubeconfig`: prints a kubeconfig of this machine's cluster, the administrator's or one for a user of its own. Works on the data
// folder: who can read the authority's key may sign.
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { openCertificates, signClientCertificate } from '../apiserver/pki/certificates.ts'
import { kubeconfigText } from '../apiserver/pki/kubeconfig.ts'
import { readKubeconfig } from '../client/kubeconfig-file.ts'
import { runVerb } from './verb-failure.ts'

interface KubeconfigCommandOptions {
  readonly dataDir: string
  readonly user?: string
  readonly group: readonly string[]
  readonly server?: string
}

export const registerKubeconfigCommand = (program: Command): void => {
  program
    .command('kubeconfig')
    .description('print a kubeconfig for a user, with a client certificate')
    .option('--data-dir <dir>', 'where `balsa up` keeps the cluster', '.balsa')
    .option('--user <name>', 'whose; left out: the administrator')
    .option('--group <name...>', 'the groups of --user', [])
    .option('--server <url>', 'the address to put in, where it is not that of this machine')
    .action((options: KubeconfigCommandOptions) => runVerb(() => print(options)))
}

const print = async (options: KubeconfigCommandOptions): Promise<void> => {
  const { user, group, dataDir } = options
  if (user === undefined && group.length > 0) throw new Error('--group needs --user')
  const { server } = readKubeconfig({ kubeconfig: join(resolve(dataDir), 'kubeconfig') })
  const url = options.server ?? server.url
  if (!URL.canParse(url)) throw new Error(`--server ${url} is no URL`)
  const { ca, admin } = await openCertificates(resolve(dataDir), new URL(server.url).hostname)
  const client = user === undefined ? admin : await signClientCertificate(ca, user, group)
  process.stdout.write(kubeconfigText({ url, ca: ca.certificate, client }))
}
