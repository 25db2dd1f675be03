// completion: a script for the shell, made of the verbs and flags as they are.
import { Argument, type Command } from 'commander'
import { completionScript, shells, type Shell, type VerbRow } from './completion-scripts.ts'
import { printLine } from './kv-output.ts'

export function registerCompletionCommand(kv: Command): void {
  kv.command('completion')
    .description('print a script that completes commands and flags in your shell')
    .addArgument(new Argument('<shell>', 'which one').choices(shells))
    .action((shell: Shell) => {
      const program = kv.parent?.name() ?? 'balsa'
      printLine(completionScript(shell, program, verbRows(kv)).trimEnd())
    })
}

/** The verbs of `kv` as they are registered, itself first. */
export function verbRows(kv: Command): VerbRow[] {
  const whole = { name: kv.name(), description: kv.description() }
  return [{ path: '', verbs: [whole], flags: [] }, ...rowsBelow(kv, ` ${kv.name()}`, [])]
}

/** Flags of the verbs above count below them too. */
function rowsBelow(command: Command, path: string, above: readonly string[]): VerbRow[] {
  const own = command.options.flatMap(({ long, short }) => [long, short].filter(isFlag))
  const flags = [...new Set([...own, ...above, '--help'])]
  const children = command.createHelp().visibleCommands(command)
  const known = children.filter((child) => child.name() !== 'help')
  const verbs = known.flatMap((child) =>
    [child.name(), ...child.aliases()].map((name) => ({ name, description: child.description() })),
  )
  const below = known.flatMap((child) =>
    [child.name(), ...child.aliases()].flatMap((name) =>
      rowsBelow(child, `${path} ${name}`, flags),
    ),
  )
  return [{ path, verbs, flags }, ...below]
}

function isFlag(flag: string | undefined): flag is string {
  return flag !== undefined
}
