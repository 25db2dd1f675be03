// The small shell script that every run goes through. It outlives the agent, so it is what keeps the exit code: it waits for the program,
// writes the code to a file and takes with it whatever else is left of the process group. It is a script file rather than an argument so
// that the program's name is on the command line of the program alone (`pkill -f server.js` must hit the program, not its keeper).

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

const shellName = /^[A-Za-z_][A-Za-z0-9_]*$/

/**
 * The text of the script. The shell ignores nothing but traps signals, since ignored ones would be inherited by the program. The program
 * writes its errors to descriptor 3 (redirected in a subshell only); the shell's own remarks ("Terminated") go to its descriptor 2 and are dropped. Only builtins are
 * used, because a signal to the group would kill any other program. Env names a shell cannot carry are set by `env`.
 */
export function runScript(options: {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly pidPath: string
  readonly exitPath: string
  /** A named pipe whose writing end the shell holds, so that the program's input does not end. */
  readonly inputPath?: string | undefined
}): string {
  const foreign = Object.entries(options.env).filter(([name]) => !shellName.test(name))
  const argv =
    foreign.length === 0
      ? options.argv
      : ['env', ...foreign.map(([name, value]) => `${name}=${value}`), ...options.argv]
  const isHeld = options.inputPath !== undefined
  const hold = isHeld ? `exec 4<>${quote(options.inputPath)}\n` : ''
  return `${hold}trap : TERM INT HUP QUIT USR1 USR2 ALRM
echo $$ > ${quote(options.pidPath)}
(exec ${argv.map(quote).join(' ')} 2>&3 3>&-${isHeld ? ' 4>&-' : ''})
echo $? > ${quote(options.exitPath)}
kill -KILL 0
`
}
