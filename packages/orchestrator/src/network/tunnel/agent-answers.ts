// What an agent says of itself and of its calls, as far as it has the form that it must have: an agent may be anybody's program.
import type { ContainerStats, NodeStats, PodStats } from '../../apiserver/node-connections.ts'
import type { Json } from '../../resources/object.ts'
import { isJsonObject } from '../../resources/patch/patch-result.ts'
import type { CallError, CallResult } from './tunnel-protocol.ts'

type JsonObject = { readonly [key: string]: Json | undefined }

/** undefined: it is none. */
export const readResult = (bytes: Buffer): CallResult | undefined => {
  const result = parsed(bytes)
  if (!isJsonObject(result)) return undefined
  const { exitCode, value, error } = result
  return {
    ...(typeof exitCode === 'number' && Number.isInteger(exitCode) ? { exitCode } : {}),
    ...(value === undefined ? {} : { value }),
    ...(error === undefined ? {} : { error: readError(error) }),
  }
}

const parsed = (bytes: Buffer): Json => {
  try {
    return JSON.parse(bytes.toString('utf8')) as Json
  } catch {
    // Which is not what a result may be either.
    return null
  }
}

/** With a code that is no error's it is a failure of the node. */
const readError = (error: Json): CallError => {
  const { code, reason, message } = isJsonObject(error) ? error : {}
  const isCode = typeof code === 'number' && Number.isInteger(code) && code >= 400 && code < 600
  return { code: isCode ? code : 0, reason: text(reason), message: text(message) }
}

/** undefined: it has not the form of statistics. */
export const readStats = (value: unknown): NodeStats | undefined => {
  const stats = value as Json | undefined
  if (!isJsonObject(stats) || !hasNumbers(stats, nodeNumbers) || !Array.isArray(stats['pods']))
    return undefined
  return (stats['pods'] as readonly Json[]).every(isPodStats)
    ? (stats as unknown as NodeStats)
    : undefined
}

const nodeNumbers: readonly (keyof NodeStats)[] = [
  'sampledAtMs',
  'windowMs',
  'startedAtMs',
  'cpuNanoseconds',
  'cpuNanocores',
  'memoryBytes',
  'memoryAvailableBytes',
]
const containerNumbers: readonly (keyof ContainerStats)[] = [
  'cpuNanoseconds',
  'cpuNanocores',
  'memoryBytes',
]
const podTexts: readonly (keyof PodStats)[] = ['namespace', 'name', 'uid']

const isPodStats = (pod: Json): boolean =>
  isJsonObject(pod) &&
  podTexts.every((key) => typeof pod[key] === 'string') &&
  hasNumbers(pod, ['startedAtMs']) &&
  Array.isArray(pod['containers']) &&
  (pod['containers'] as readonly Json[]).every(
    (one) =>
      isJsonObject(one) && typeof one['name'] === 'string' && hasNumbers(one, containerNumbers),
  )

/** The furthest time that a Date knows. */
const timeMsMax = 8.64e15
const hasNumbers = (object: JsonObject, keys: readonly string[]): boolean =>
  keys.every((key) => {
    const number = object[key]
    if (typeof number !== 'number' || !Number.isFinite(number)) return false
    return !key.endsWith('Ms') || Math.abs(number) <= timeMsMax
  })

const text = (value: Json | undefined): string => (typeof value === 'string' ? value : '')
