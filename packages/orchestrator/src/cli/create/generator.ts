// What a generator of `balsa create` is: the flags that it takes, and the object that it makes of them.
import type { Json, KubeObject } from '../../resources/object.ts'
import type { ApiSession } from '../api-session.ts'

export type Manifested = KubeObject & { readonly [key: string]: unknown }

export interface Generator {
  /** After `create`: `service clusterip`. */
  readonly words: string
  readonly aliases?: readonly string[]
  readonly about: string
  /** One a line, `NAME: what it is`. After the name: `!` required, `*` a list, which may be cut at commas, `+` a list that is not, `#` a number, `?` on or off. */
  readonly flags: string
  readonly make: (request: GeneratorRequest) => Manifested | Promise<Manifested>
}

export interface GeneratorRequest {
  readonly name: string
  /** What stands after the name: most often behind `--`. */
  readonly rest: readonly string[]
  readonly flags: Flags
  readonly session: () => ApiSession
}

export interface Flag {
  readonly name: string
  readonly about: string
  readonly isRequired: boolean
  readonly type: 'text' | 'list' | 'whole list' | 'number' | 'switch'
}

const types = { '*': 'list', '+': 'whole list', '#': 'number', '?': 'switch' } as const

export const parseFlags = (table: string): readonly Flag[] =>
  table
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, name = '', marks = '', about = ''] = /^\s*([\w-]+)([!*+#?]*): (.*)$/.exec(line) ?? []
      const mark = marks
        .split('')
        .find((one): one is keyof typeof types => Object.hasOwn(types, one))
      return {
        name,
        about,
        isRequired: marks.includes('!'),
        type: mark === undefined ? 'text' : types[mark],
      }
    })

/** What was given of them. */
export class Flags {
  readonly #values: Readonly<Record<string, unknown>>

  /** By names in camel case, as commander has them. */
  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values
  }

  text(name: string): string | undefined {
    const value = this.#value(name)
    return typeof value === 'string' ? value : undefined
  }

  list(name: string): readonly string[] {
    const value = this.#value(name)
    return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : []
  }

  number(name: string): number | undefined {
    const value = this.#value(name)
    return typeof value === 'number' ? value : undefined
  }

  isOn(name: string): boolean {
    return this.#value(name) === true
  }

  #value(name: string): unknown {
    return this.#values[name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase())]
  }
}

/** Members that are undefined, and lists that are empty, are left out. */
export const given = (members: {
  readonly [key: string]: Json | undefined
}): { readonly [key: string]: Json } =>
  Object.fromEntries(
    Object.entries(members).flatMap(([key, value]) =>
      value === undefined || (Array.isArray(value) && value.length === 0) ? [] : [[key, value]],
    ),
  )

/** `a=b,c=d` as members. Throws Error where a part is none. */
export const parsePairs = (text: string, refuse: (part: string) => Error): Record<string, string> =>
  Object.fromEntries(
    text.split(',').map((part) => {
      const at = part.indexOf('=')
      if (at < 1) throw refuse(part)
      return [part.slice(0, at), part.slice(at + 1)]
    }),
  )

/** Decimal as Go reads it, or the text. */
export const numberOrText = (text: string): number | string =>
  /^\d+$/.test(text) ? Number(text) : text
