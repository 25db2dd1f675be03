// The hash that names a Deployment's ReplicaSets and marks their pods: FNV-1a over the canonical JSON of the template. Upstream hashes
// Go's dump of the struct instead, so the values differ from upstream's; that equal templates hash equally is what counts.
import { safeEncode } from './names.ts'
import type { PodTemplateSpec } from './pod-spec/pod-spec.ts'

const fnvOffset = 0x811c9dc5
const fnvPrime = 0x01000193

/** `collisionCount` is the Deployment's status.collisionCount: a second hash for the same template. */
export const podTemplateHash = (template: PodTemplateSpec, collisionCount = 0): string => {
  const hashed = fnv1a(canonicalJson(template))
  const salted = collisionCount === 0 ? hashed : fnv1a(String(collisionCount), hashed)
  return safeEncode(String(salted))
}

/** JSON with sorted keys: equal values give equal texts. */
const canonicalJson = (value: unknown): string => {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`)
  return `{${members.join(',')}}`
}

const fnv1a = (text: string, start: number = fnvOffset): number => {
  let hash = start
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    hash = Math.imul(hash ^ (unit & 0xff), fnvPrime)
    if (unit > 0xff) hash = Math.imul(hash ^ (unit >>> 8), fnvPrime)
  }
  return hash >>> 0
}
