// The verbs that talk to the apiserver, for those who have no kubectl: same words, same output, same errors.
import type { Command } from 'commander'
import { registerApplyCommand } from './apply-command.ts'
import { registerConfigCommand } from './config-command.ts'
import { registerCopyCommand } from './cp-command.ts'
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

const withSessionOptions = (command: Command): Command =>
  command
    .option('-n, --namespace <name>', 'the namespace (default: that of the kubeconfig)')
    .option(
      '--kubeconfig <file>',
      'where the cluster is and who asks (default: KUBECONFIG, .balsa/kubeconfig, ~/.kube/config)',
    )
    .option('--context <name>', 'which context of the kubeconfig')
