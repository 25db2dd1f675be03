// Random requests of every verb, with objects that are almost right: each is answered, none with a 5xx, and the server is as before.
import { SeededRandom } from '@balsa/raft/simulation'
import { expect, test } from 'vitest'
import { resourceTypes } from '../../resources/index.ts'
import { groupVersion } from '../registry/decode.ts'
import { ApiFixture } from '../testing/api-fixture.ts'

const requests = 800
const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31)

const chances = new SeededRandom(seed)
const random = (): number => chances.next()
const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!

const scalars = [null, 0, -1, 1.5, 'x', '', true, 1e99, '2020-01-01T00:00:00Z', '500m', '__proto__']
const names =
  'name containers spec status metadata template selector matchLabels ports port image replicas labels annotations finalizers conditions type data key value env resources limits cpu subsets addresses ip strategy rollingUpdate maxSurge volumes tolerations deletionTimestamp ownerReferences uid resourceVersion managedFields fieldsV1 phase containerStatuses nodeName involvedObject matchExpressions operator values affinity holderIdentity clusterIP __proto__ constructor'.split(
    ' ',
  )

const junk = (depth = 0): unknown => {
  const kind = random()
  if (depth > 3 || kind < 0.15) return pick(scalars)
  if (kind < 0.35) return Array.from({ length: Math.floor(random() * 3) }, () => junk(depth + 1))
  return Object.fromEntries(Array.from({ length: 4 }, () => [pick(names), junk(depth + 1)]))
}

/** `value` with some of its parts replaced and some added. */
const damaged = (value: unknown): unknown => {
  if (random() < 0.05) return junk(2)
  if (Array.isArray(value)) return value.map(damaged)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).map(([key, member]) => [key, damaged(member)])
  return Object.fromEntries(random() < 0.2 ? [...members, [pick(names), junk(2)]] : members)
}

const podSpec = { containers: [{ name: 'c', image: 'i' }] }
const workload = {
  selector: { matchLabels: { a: 'b' } },
  template: { metadata: { labels: { a: 'b' } }, spec: podSpec },
}
const specs: Readonly<Record<string, unknown>> = {
  Pod: podSpec,
  Deployment: workload,
  ReplicaSet: workload,
  Service: { ports: [{ port: 80 }] },
}

interface Request {
  readonly method: string
  readonly path: string
  readonly body: string | undefined
  readonly headers: Readonly<Record<string, string>>
}

const randomRequest = (): Request => {
  const type = pick(resourceTypes)
  const root = type.group === '' ? '/api' : '/apis'
  const collection = `${root}/${groupVersion(type)}${type.namespaced ? '/namespaces/default' : ''}/${type.plural}`
  const name = pick(['a', 'b', 'c'])
  const object = {
    apiVersion: groupVersion(type),
    kind: type.kind,
    ...(random() < 0.4 ? (junk(1) as object) : {}),
    metadata: { name, ...(random() < 0.2 ? (junk(2) as object) : {}) },
    ...(specs[type.kind] === undefined ? {} : { spec: damaged(specs[type.kind]) }),
  }
  const accept = pick([
    'application/json',
    'application/json;as=Table;v=v1;g=meta.k8s.io',
    'application/yaml',
  ])
  const json = { accept, 'content-type': 'application/json' }
  const item = `${collection}/${name}${pick(['', '', '/status', '/scale'])}`
  const body = JSON.stringify(object)
  const selector = encodeURIComponent(pick(['a=b', 'a in (b,c)', '!a', ',,', 'a>1', '']))
  switch (pick(['POST', 'POST', 'PUT', 'PATCH', 'GET', 'LIST', 'DELETE'])) {
    case 'POST':
      return { method: 'POST', path: collection, body, headers: json }
    case 'PUT':
      return { method: 'PUT', path: item, body, headers: json }
    case 'GET':
      return { method: 'GET', path: item, body: undefined, headers: { accept } }
    case 'LIST':
      return {
        method: 'GET',
        path: `${collection}?labelSelector=${selector}&fieldSelector=${pick(['', 'metadata.name%3Da', 'a%3Db%3Dc'])}`,
        body: undefined,
        headers: { accept },
      }
    case 'DELETE':
      return {
        method: 'DELETE',
        path: `${collection}/${name}?${pick(['', 'gracePeriodSeconds=0', 'gracePeriodSeconds=x', 'propagationPolicy=Orphan'])}`,
        body: random() < 0.3 ? JSON.stringify(junk(1)) : undefined,
        headers: json,
      }
    default:
      return {
        method: 'PATCH',
        path: `${item}?fieldManager=m&force=${random() < 0.5}`,
        body: JSON.stringify(pick([junk(), object, [randomOperation()]])),
        headers: {
          'content-type': `application/${pick(['json-patch+json', 'merge-patch+json', 'strategic-merge-patch+json', 'apply-patch+yaml'])}`,
        },
      }
  }
}

const randomOperation = (): object => ({
  op: pick(['add', 'remove', 'copy', 'move', 'test', 'replace', 'none']),
  path: pick(['/spec', '/metadata/labels', '/x/y', '', '/metadata', '/__proto__/x', 'x']),
  from: '/spec',
  value: junk(2),
})

test(`random requests are answered and never with a server error (SEED=${seed})`, async () => {
  const api = await ApiFixture.start()
  for (let index = 0; index < requests; index++) {
    const { method, path, body, headers } = randomRequest()
    const answer = await api.request(method, path, {
      ...(body === undefined ? {} : { body }),
      headers,
    })
    if (answer.status >= 500) throw new Error(`${method} ${path}: ${answer.text}\n${body}`)
  }
  expect(api.errors).toEqual([])
  expect((await api.request('GET', '/api/v1/namespaces/default')).status).toBe(200)
  expect(Object.keys(Object.prototype)).toEqual([])
  await api.close()
})
