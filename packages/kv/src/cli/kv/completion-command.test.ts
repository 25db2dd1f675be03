// What the shell is offered where, over the verbs as they are; of bash the shell itself is asked.
import { execFileSync } from 'node:child_process'
import { Command } from 'commander'
import { expect, test } from 'vitest'
import { verbRows } from './completion-command.ts'
import { completionScript, type Shell } from './completion-scripts.ts'
import { registerKvCommand } from './kv-command.ts'

const program = new Command('balsa')
registerKvCommand(program)
const [kv = program] = program.commands
const script = (shell: Shell): string => completionScript(shell, 'balsa', verbRows(kv))

test('bash completes commands, those below a command, and the flags that count there', () => {
  const cases: readonly (readonly [words: readonly string[], offered: string])[] = [
    [['balsa', 'k'], 'kv'],
    [['balsa', 'kv', 'sna'], 'snapshot'],
    [['balsa', 'kv', '--endpoints', 'a:1', 'member', 'pro'], 'promote'],
    [['balsa', 'kv', 'get', 'some', '--keys'], '--keys-only'],
    [['balsa', 'kv', 'get', '--endp'], '--endpoints'],
    [['balsa', 'kv', 'put', 'member', ''], ''],
  ]
  const asked = cases.map(([words]) => {
    const quoted = words.map((word) => `'${word}'`).join(' ')
    return `COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; COMPREPLY=(); _balsa_kv; echo "\${COMPREPLY[*]}"`
  })
  const input = [script('bash'), ...asked].join('\n')
  const offered = execFileSync('bash', ['--norc'], { input, encoding: 'utf8' })
  expect(offered.split('\n').slice(0, -1)).toEqual(cases.map(([, right]) => right))
})

test('zsh and fish get the same commands, with what they are for', () => {
  expect(script('zsh')).toMatch(/^#compdef balsa\n/)
  expect(script('zsh')).toContain("'promote:make a voter of a learner'")
  const at = (path: string): string => `complete -c balsa -n "__balsa_kv_at '${path}'"`
  expect(script('fish')).toContain(`${at(' kv member')} -f -a promote -d `)
  expect(script('fish')).toContain(`${at(' kv get')} -l keys-only\n`)
})
