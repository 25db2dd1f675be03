#!/usr/bin/env node
// The commands of @balsa/kv by themselves, without the orchestrator: `member` and `kv`. Every failure is one line and exit code 1.
import { Command } from 'commander'
import { registerKvCommand, registerMemberCommand } from './index.ts'

const program = new Command('balsa')
  .description('A key-value store that speaks etcd v3')
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'balsa: ')) })
registerMemberCommand(program)
registerKvCommand(program)

try {
  await program.parseAsync()
} catch (reason) {
  process.stderr.write(`balsa: ${reason instanceof Error ? reason.message : String(reason)}\n`)
  const hasCode = reason instanceof Error && 'exitCode' in reason
  process.exitCode = hasCode && typeof reason.exitCode === 'number' ? reason.exitCode : 1
}
