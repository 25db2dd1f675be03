// version: of this program, and of etcd's API that its servers speak.
import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { etcdVersion } from '../../member/version.ts'
import { printLine } from './kv-output.ts'

export function registerVersionCommand(kv: Command): void {
  kv.command('version')
    .description('print the version of this program and of the API')
    .action(() => {
      const file = new URL('../../../package.json', import.meta.url)
      const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string }
      printLine(`balsa version: ${version}`)
      printLine(`API version: ${etcdVersion.split('.').slice(0, 2).join('.')}`)
    })
}
