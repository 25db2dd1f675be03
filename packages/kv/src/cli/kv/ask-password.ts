// Passwords from the terminal, not shown, or line by line from a pipe.
import { createInterface, type Interface } from 'node:readline'
import { Writable } from 'node:stream'

const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
let lines: AsyncIterator<string> | undefined
let input: Interface | undefined

/** The next line of standard input; '' at its end. */
export async function askPassword(question: string): Promise<string> {
  process.stdout.write(question)
  const password = await readPassword()
  process.stdout.write('\n')
  return password
}

/** The same without a question. */
export async function readPassword(): Promise<string> {
  if (lines === undefined) {
    // The interface answers keys of a terminal itself: to nowhere.
    const terminal = process.stdin.isTTY
    input = createInterface({ input: process.stdin, output: nowhere, terminal })
    lines = input[Symbol.asyncIterator]()
  }
  const next = await lines.next()
  return next.done === true ? '' : next.value
}

/** Lets the process end; call it when no password is wanted any more. */
export function closePasswords(): void {
  input?.close()
  input = undefined
  lines = undefined
}
