// How the text of a flag, variable or configuration key becomes a value. The message of an error ends the sentence "--flag is 'text'; it must be ...".
import { parseGoDuration } from '../../../go-duration.ts'

export interface FlagType<T> {
  /** A switch stands alone on the command line. */
  readonly isSwitch?: boolean
  /** The value, or what it must be. */
  readonly parse: (text: string) => { readonly value: T } | { readonly mustBe: string }
}

export const text: FlagType<string> = { parse: (value) => ({ value }) }

/** 'a,b': without doubles. */
export const list: FlagType<readonly string[]> = {
  parse: (words) => ({ value: [...new Set(split(words))] }),
}

export const toggle: FlagType<boolean> = {
  isSwitch: true,
  parse: (word) => {
    if (/^(?:true|t|1)$/i.test(word)) return { value: true }
    if (/^(?:false|f|0|)$/i.test(word)) return { value: false }
    return { mustBe: 'true or false' }
  },
}

/** A switch that may also carry a word, such as --force-new-cluster=CLUSTER_ID. Undefined if it is off. */
export const confirmation: FlagType<string | undefined> = {
  isSwitch: true,
  parse: (word) => ({ value: word === 'false' || word === '' ? undefined : word }),
}

export const positive: FlagType<number> = {
  parse: (digits) => {
    const value = wholeNumber(digits)
    return value !== undefined && value > 0 ? { value } : { mustBe: 'a positive whole number' }
  },
}

/** Zero too, which often means "no limit" or "off". */
export const count: FlagType<number> = {
  parse: (digits) => {
    const value = wholeNumber(digits)
    return value !== undefined && value >= 0 ? { value } : { mustBe: 'a whole number' }
  },
}

export const integer: FlagType<number> = {
  parse: (digits) => {
    const value = wholeNumber(digits)
    return value === undefined ? { mustBe: 'a whole number' } : { value }
  },
}

/** Go's durations, as '1h30m' or '500ms', in milliseconds. Plain digits are nanoseconds, as in etcd's configuration file. */
export const duration: FlagType<number> = {
  parse: (words) => {
    const value = durationMs(words)
    return value === undefined ? { mustBe: "a duration like '5s' or '1h30m'" } : { value }
  },
}

export function oneOf<Choice extends string>(...choices: readonly Choice[]): FlagType<Choice> {
  return {
    parse: (word) => {
      const value = choices.find((choice) => choice === word)
      return value === undefined ? { mustBe: `one of ${choices.join(', ')}` } : { value }
    },
  }
}

/** Listen and advertise URLs: scheme and HOST:PORT without a path, or a unix socket. */
export const urls: FlagType<readonly string[]> = {
  parse: (words) => {
    const value = split(words)
    const wrong = value.find((url) => !isListenUrl(url))
    return wrong === undefined ? { value } : { mustBe: 'URLs like http://127.0.0.1:2379' }
  },
}

export function split(words: string): string[] {
  return words
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
}

function isListenUrl(url: string): boolean {
  if (/^unixs?:\/\/[^?#]+$/.test(url)) return true
  if (!/^https?:\/\/[^/]+:\d+\/?$/.test(url) || !URL.canParse(url)) return false
  const { pathname, search } = new URL(url)
  return pathname === '/' && search === ''
}

function wholeNumber(digits: string): number | undefined {
  const value = /^-?\d+$/.test(digits.trim()) ? Number(digits) : Number.NaN
  return Number.isSafeInteger(value) ? value : undefined
}

function durationMs(words: string): number | undefined {
  const trimmed = words.trim()
  if (/^\d+$/.test(trimmed)) return Number(trimmed) / 1e6
  return parseGoDuration(trimmed)
}
