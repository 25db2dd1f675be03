// The YAML library, loaded with the first text that needs it: a server that starts needs none, and it is seventy files.
import { createRequire } from 'node:module'

type Yaml = typeof import('yaml')

const load = createRequire(import.meta.url)
let loaded: Yaml | undefined

/** At once, since whoever parses or writes does so in the middle of a call. */
export const yaml = (): Yaml => (loaded ??= load('yaml') as Yaml)
