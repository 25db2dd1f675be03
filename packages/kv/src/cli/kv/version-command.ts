// version: of this program, and of etcd's API that its servers speak.
import { createRequire } from 'node:module'
import type { Command } from 'commander'
import { etcdVersion } from '../../member/version.ts'
import { printLine } from './kv-output.ts'

const load = createRequire(import.meta.url)

export function registerVersionCommand(kv: Command): void {
  kv.command('version')
    .description('print the version of this program and of the API')
    .action(() => {
      const { version } = load('@balsa/kv/package.json') as { version: string }
      printLine(`balsa version: ${version}`)
      printLine(`API version: ${etcdVersion.split('.').slice(0, 2).join('.')}`)
    })
}
