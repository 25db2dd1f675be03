#!/usr/bin/env node
// The `balsa` command. Every failure of a verb is one line on stderr and exit code 1.
import { Command } from 'commander'
import { registerKvCommand, registerMemberCommand } from '@balsa/kv/cli'
import { registerApiCommands } from './api-commands.ts'
import { registerUpCommand } from './up.ts'

const program = new Command('balsa')
  .description(
    'A key-value store that speaks etcd v3 and an orchestrator that speaks the Kubernetes API',
  )
  .version('0.1.0')
  .showSuggestionAfterError()
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'balsa: ')) })

registerUpCommand(program)
registerMemberCommand(program)
registerKvCommand(program)
registerApiCommands(program)

// Started by `balsa up`, a member lives no longer than its parent.
if (process.send !== undefined)
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))

try {
  await program.parseAsync()
} catch (reason) {
  process.stderr.write(`balsa: ${reason instanceof Error ? reason.message : String(reason)}\n`)
  process.exitCode = 1
}
