// The verbs that talk to the apiserver, for those who have no kubectl: same words, same output, same errors.
import type { Command } from 'commander'
import { registerApplyCommand } from './apply-command.ts'
import { registerConfigCommand } from './config-command.ts'
import { registerCopyCommand } from './cp-command.ts'
import { registerCreateCommand } from './create/create-command.ts'
import { registerExposeCommand } from './create/expose-command.ts'
import { registerRunCommand } from './create/run-command.ts'
import { registerDiffCommand } from './edit/diff-command.ts'
import { registerEditCommand } from './edit/edit-command.ts'
import { registerDeleteCommand } from './delete-command.ts'
import { registerDescribeCommand } from './describe-command.ts'
import { registerExecCommand } from './exec-command.ts'
import { registerExplainCommand } from './explain-command.ts'
import { registerGetCommand } from './get-command.ts'
import { registerLogsCommand } from './logs-command.ts'
import { registerMetadataCommands } from './metadata-commands.ts'
import { registerNodeCommands } from './node-commands.ts'
import { registerPatchCommand } from './patch-command.ts'
import { registerPortForwardCommand } from './port-forward-command.ts'
import { registerRolloutCommand } from './rollout-command.ts'
import { registerServerCommands } from './server-commands.ts'
import { registerSetCommand } from './set-command.ts'
import { registerTaintCommand } from './taint-command.ts'
import { registerTokenCommand } from './token-command.ts'
import { registerUsageCommands } from './usage-commands.ts'
import { registerWaitCommand } from './wait-command.ts'
import { registerScaleCommand } from './scale-command.ts'

/** Adds all of them to `program`. */
export function registerApiCommands(program: Command): void {
  for (const register of [
    registerApplyCommand,
    registerCreateCommand,
    registerExposeCommand,
    registerRunCommand,
    registerDiffCommand,
    registerEditCommand,
    registerGetCommand,
    registerDescribeCommand,
    registerConfigCommand,
    registerCopyCommand,
    registerDeleteCommand,
    registerScaleCommand,
    registerLogsCommand,
    registerExecCommand,
    registerExplainCommand,
    registerPortForwardCommand,
    registerUsageCommands,
    registerMetadataCommands,
    registerNodeCommands,
    registerPatchCommand,
    registerRolloutCommand,
    registerServerCommands,
    registerSetCommand,
    registerTaintCommand,
    registerTokenCommand,
    registerWaitCommand,
  ]) {
    register(program, withSessionOptions)
  }
}

const addText = (text: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  text,
]

const withSessionOptions = (command: Command): Command =>
  command
    .option('-n, --namespace <name>', 'the namespace (default: that of the kubeconfig)')
    .option(
      '--kubeconfig <file>',
      'where the cluster is and who asks (default: KUBECONFIG, .balsa/kubeconfig, ~/.kube/config)',
    )
    .option('--context <name>', 'which context of the kubeconfig')
    .option('-s, --server <url>', 'the address of the server')
    .option('--token <token>', 'a bearer token')
    .option('--insecure-skip-tls-verify', 'believe the server whatever certificate it has')
    .option('--as <user>', 'act as this user')
    .option('--as-group <group>', 'act as a member of this group, too', addText)
    .option('--as-uid <uid>', 'act as the user with this uid')
    .configureOutput({
      outputError: (text, write) => write(kubectlText(text, pathOf(command))),
    })

const pathOf = (command: Command): string =>
  command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`

/** What is wrong with the words, in kubectl's words. */
const kubectlText = (text: string, path: string): string => {
  const [, unknown] = /^error: unknown option '(-[^']+)'/.exec(text) ?? []
  if (unknown !== undefined) {
    const [flag = ''] = unknown.split('=')
    const told = flag.startsWith('--')
      ? `unknown flag: ${flag}`
      : `unknown shorthand flag: '${flag.charAt(1)}' in ${flag}`
    return `error: ${told}\nSee '${path} --help' for usage.\n`
  }
  const [, missing] =
    /^error: required option '(?:-\w, )?--([\w-]+)[^']*' not specified/.exec(text) ?? []
  if (missing !== undefined) return `error: required flag(s) "${missing}" not set\n`
  const [, valued] = /^error: option '(?:-\w, )?--([\w-]+)[^']*' argument missing/.exec(text) ?? []
  if (valued !== undefined)
    return `error: flag needs an argument: --${valued}\nSee '${path} --help' for usage.\n`
  const [, why] = /^error: (?:option|command-argument) .* is invalid\. (.*)/s.exec(text) ?? []
  if (why?.startsWith('invalid argument') === true)
    return `error: ${why.trimEnd()}\nSee '${path} --help' for usage.\n`
  return why?.startsWith('Invalid') === true ? `error: ${why}` : text
}
