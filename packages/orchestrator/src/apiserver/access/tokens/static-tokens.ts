// Bearer tokens from a file, as upstream's --token-auth-file: `TOKEN,USER,UID,"GROUP,GROUP"` a line. Read once.
import { readFile } from 'node:fs/promises'
import { authenticatedGroup, type User } from '../user.ts'
import type { TokenSource, TokenUser } from './token-authenticator.ts'

export class StaticTokens implements TokenSource {
  readonly #users = new Map<string, User>()

  /** Rejects when the file cannot be read or a line is none. */
  static async open(path: string): Promise<StaticTokens> {
    const tokens = new StaticTokens()
    const text = await readFile(path, 'utf8')
    for (const [index, line] of text.split(/\r?\n/).entries()) {
      if (line.trim() === '' || line.startsWith('#')) continue
      const [token = '', name = '', uid = '', groups = ''] = parseCsv(line)
      if (token === '' || name === '') {
        throw new Error(`--token-auth-file ${path}: line ${index + 1} is not TOKEN,USER,UID,GROUPS`)
      }
      const named = groups.split(',').map((group) => group.trim())
      tokens.#users.set(token, {
        name,
        ...(uid === '' ? {} : { uid }),
        groups: [...named.filter((group) => group !== ''), authenticatedGroup],
      })
    }
    return tokens
  }

  authenticate(token: string, audiences: readonly string[]): TokenUser | undefined {
    const user = this.#users.get(token)
    return user === undefined ? undefined : { user, audiences }
  }
}

/** Fields may be in double quotes, in which a double quote is written twice. */
const parseCsv = (line: string): string[] =>
  [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? '').trim() : quoted.replaceAll('""', '"'),
  )
