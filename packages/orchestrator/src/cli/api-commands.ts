// The verbs that talk to the apiserver, for those who have no kubectl: same words, same output, same errors.
import type { Command } from 'commander'
import { registerApplyCommand } from './apply-command.ts'
import { registerDeleteCommand } from './delete-command.ts'
import { registerGetCommand } from './get-command.ts'
import { registerLogsCommand } from './logs-command.ts'
import { registerScaleCommand } from './scale-command.ts'

/** Adds `apply`, `get`, `delete`, `scale` and `logs` to `program`. */
export function registerApiCommands(program: Command): void {
  for (const register of [
    registerApplyCommand,
    registerGetCommand,
    registerDeleteCommand,
    registerScaleCommand,
    registerLogsCommand,
  ]) {
    register(program, withSessionOptions)
  }
}

const withSessionOptions = (command: Command): Command =>
  command
    .option('-n, --namespace <name>', 'the namespace (default: that of the kubeconfig)')
    .option(
      '--kubeconfig <file>',
      'where the cluster is and who asks (default: KUBECONFIG, .balsa/kubeconfig, ~/.kube/config)',
    )
    .option('--context <name>', 'which context of the kubeconfig')
