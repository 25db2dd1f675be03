// What a shell needs to complete a command line: the same small walk in each of the three languages, over a table of verbs. A word that
// names no verb at its place (a key, the value of a flag) is passed over.

/** One verb: the words that lead to it, what may come next. */
export interface VerbRow {
  /** '' for the program itself, else such as ' kv member add'. */
  readonly path: string
  readonly verbs: readonly { readonly name: string; readonly description: string }[]
  readonly flags: readonly string[]
}

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

export function completionScript(shell: Shell, program: string, rows: readonly VerbRow[]): string {
  return scripts[shell](program, rows)
}

const scripts: Readonly<Record<Shell, (program: string, rows: readonly VerbRow[]) => string>> = {
  bash: (
    program,
    rows,
  ) => `# bash completion for ${program} kv; load it with: source <(${program} kv completion bash)
_${program}_kv() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" path="" verbs="" flags="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path \${COMP_WORDS[i]}" in
      ${pathsOf(rows)}) path="$path \${COMP_WORDS[i]}" ;;
    esac
  done
  case "$path" in
${rows.map((row) => `    '${row.path}') verbs='${namesOf(row)}' flags='${row.flags.join(' ')}' ;;`).join('\n')}
  esac
  case "$cur" in
    -*) COMPREPLY=($(compgen -W "$flags" -- "$cur")) ;;
    *) COMPREPLY=($(compgen -W "$verbs" -- "$cur")) ;;
  esac
}
complete -o default -F _${program}_kv ${program}
`,
  zsh: (program, rows) => `#compdef ${program}
# zsh completion for ${program} kv; load it with: source <(${program} kv completion zsh)
_${program}_kv() {
  local at="" i
  local -a verbs flags
  for ((i = 2; i < CURRENT; i++)); do
    case "$at \${words[i]}" in
      ${pathsOf(rows)}) at="$at \${words[i]}" ;;
    esac
  done
  case "$at" in
${rows.map((row) => `    '${row.path}') verbs=(${describedOf(row)}) flags=(${row.flags.join(' ')}) ;;`).join('\n')}
  esac
  if [[ "\${words[CURRENT]}" == -* ]]; then
    compadd -- "\${flags[@]}"
  elif (( \${#verbs} )); then
    _describe 'command' verbs
  else
    _files
  fi
}
compdef _${program}_kv ${program}
`,
  fish: (
    program,
    rows,
  ) => `# fish completion for ${program} kv; load it with: ${program} kv completion fish | source
function __${program}_kv_at
  set -l at ''
  for word in (commandline -opc)[2..-1]
    contains -- "$at $word" ${rows
      .slice(1)
      .map(({ path }) => `'${path}'`)
      .join(' ')}
    and set at "$at $word"
  end
  test "$at" = "$argv[1]"
end
${rows.flatMap((row) => fishLines(program, row)).join('\n')}
`,
}

function pathsOf(rows: readonly VerbRow[]): string {
  return rows
    .slice(1)
    .map(({ path }) => `'${path}'`)
    .join(' | ')
}

function namesOf({ verbs }: VerbRow): string {
  return verbs.map(({ name }) => name).join(' ')
}

function describedOf({ verbs }: VerbRow): string {
  return verbs.map(({ name, description }) => quoted(`${name}:${description}`)).join(' ')
}

function fishLines(program: string, { path, verbs, flags }: VerbRow): string[] {
  const line = `complete -c ${program} -n "__${program}_kv_at '${path}'"`
  return [
    ...verbs.map(({ name, description }) => `${line} -f -a ${name} -d ${quoted(description)}`),
    ...flags.map((flag) =>
      flag.startsWith('--') ? `${line} -l ${flag.slice(2)}` : `${line} -s ${flag.slice(1)}`,
    ),
  ]
}

/** Between single quotes; all three shells take the quote itself as '\\''. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
