// Fields that a JSON text names twice. Parsing keeps the last of them without a word, so they are looked for in the text itself; whether
// there are any is known from counting.
import type { Json } from '../../resources/object.ts'

/** Fields named in one answer; more are left out. */
const fieldsMax = 20
const token = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[{}[\],]/g

/** Paths such as `spec.containers[0].image`. `value` is what `body` parses to. */
export const duplicateFields = (body: Buffer, value: Json): string[] => {
  const kept = keysKept(value)
  // Every key has a colon: where there are no more of them than keys were kept, none was written twice.
  if (colons(body) === kept) return []
  const text = body.toString('utf8')
  return keysWritten(text) === kept ? [] : findDuplicates(text)
}

const colon = 0x3a
const colons = (body: Buffer): number => {
  let count = 0
  for (let at = body.indexOf(colon); at !== -1; at = body.indexOf(colon, at + 1)) count++
  return count
}

const keysWritten = (text: string): number => {
  let count = 0
  for (const [, mark] of text.matchAll(token)) if (mark !== undefined) count++
  return count
}

/** Without recursion: values may be nested without end. */
const keysKept = (value: Json): number => {
  let count = 0
  const rest: (Json | undefined)[] = [value]
  while (rest.length > 0) {
    const next = rest.pop()
    if (typeof next !== 'object' || next === null) continue
    const members = Object.values(next)
    if (!Array.isArray(next)) count += members.length
    for (const member of members) {
      if (typeof member === 'object') rest.push(member)
    }
  }
  return count
}

/**
 * What is wrong with the fields of a body, as upstream says it and in the order of the text. `unknown`: paths of fields that the kind does
 * not have.
 */
export const fieldProblems = (body: Buffer, value: Json, unknown: readonly string[]): string[] => {
  const duplicates = duplicateFields(body, value)
  const unknownProblems = unknown.map((path) => `unknown field "${path}"`)
  if (duplicates.length === 0) return unknownProblems
  const known = duplicates.map((path) => `duplicate field "${path}"`)
  if (unknown.length === 0) return known
  const left = new Set(unknown)
  const found: string[] = []
  walkKeys(body.toString('utf8'), (levels, isAgain) => {
    const path = pathOf(levels)
    if (left.delete(path)) found.push(`unknown field "${path}"`)
    else if (isAgain && found.length < fieldsMax) found.push(`duplicate field "${path}"`)
  })
  return [...found, ...[...left].map((path) => `unknown field "${path}"`)]
}

interface Level {
  /** undefined: a list. */
  readonly keys: Set<string> | undefined
  /** Where the reading is: a name or an index. */
  at: string | number
}

const findDuplicates = (text: string): string[] => {
  const found: string[] = []
  walkKeys(text, (levels, isAgain) => {
    if (isAgain && found.length < fieldsMax) found.push(pathOf(levels))
  })
  return found
}

/** Calls `visit` for each name of a member, with where it is and whether its object had it before. */
const walkKeys = (
  text: string,
  visit: (levels: readonly Level[], isAgain: boolean) => void,
): void => {
  const levels: Level[] = []
  for (const [word, mark] of text.matchAll(token)) {
    const level = levels.at(-1)
    if (word === '{') levels.push({ keys: new Set(), at: '' })
    else if (word === '[') levels.push({ keys: undefined, at: 0 })
    else if (word === '}' || word === ']') levels.pop()
    else if (word === ',') {
      if (level !== undefined && typeof level.at === 'number') level.at++
    } else if (mark !== undefined && level?.keys !== undefined) {
      const key = JSON.parse(word.slice(0, word.lastIndexOf('"') + 1)) as string
      level.at = key
      visit(levels, level.keys.has(key))
      level.keys.add(key)
    }
  }
}

const pathOf = (levels: readonly Level[]): string =>
  levels
    .map(({ at }, index) => (typeof at === 'number' ? `[${at}]` : index === 0 ? at : `.${at}`))
    .join('')
