import { afterAll, beforeAll, expect, test } from 'vitest'
import { ApiFixture, type Answer } from '../testing/api-fixture.ts'

const base = '/api/v1/namespaces/default'

let api: ApiFixture
beforeAll(async () => {
  api = await ApiFixture.start()
})
afterAll(async () => {
  expect(api.errors).toEqual([])
  await api.close()
})

const post = async (plural: string, body: object): Promise<Answer> =>
  api.request('POST', `${base}/${plural}`, { body })
const configMap = (name: string): object => ({ metadata: { name } })
const pod = (name: string, resources: object, more: object = {}): object => ({
  metadata: { name },
  spec: { containers: [{ name: 'c', image: 'i', resources }], ...more },
})
const usedOf = async (quota: string): Promise<unknown> =>
  (await api.request('GET', `${base}/resourcequotas/${quota}`)).json.status.used

test('a quota lets in as many as it says, however many come at once, and tells the others why not', async () => {
  await post('resourcequotas', { metadata: { name: 'q' }, spec: { hard: { configmaps: '3' } } })
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, index) => post('configmaps', configMap(`a${index}`))),
  )
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
    201, 201, 201, 403, 403, 403, 403, 403,
  ])
  expect(answers.find(({ status }) => status === 403)?.json).toMatchObject({
    reason: 'Forbidden',
    message: expect.stringMatching(
      /^configmaps "a\d" is forbidden: exceeded quota: q, requested: configmaps=1, used: configmaps=3, limited: configmaps=3$/,
    ),
  })
  expect(await usedOf('q')).toEqual({ configmaps: '3' })
})

test('what is deleted makes room', async () => {
  const made = await api.request('GET', `${base}/configmaps`)
  await api.request('DELETE', `${base}/configmaps/${made.json.items[0].metadata.name}`)
  expect((await post('configmaps', configMap('b'))).status).toBe(201)
  expect((await post('configmaps', configMap('c'))).status).toBe(403)
  await api.request('DELETE', `${base}/resourcequotas/q`)
  expect((await post('configmaps', configMap('c'))).status).toBe(201)
})

test('pods must say what a quota counts, and are counted by scope', async () => {
  await post('resourcequotas', {
    metadata: { name: 'cpu' },
    spec: { hard: { 'requests.cpu': '1', 'count/pods': '5' }, scopes: ['NotBestEffort'] },
  })
  await post('resourcequotas', {
    metadata: { name: 'lazy' },
    spec: { hard: { pods: '0' }, scopes: ['BestEffort'] },
  })
  expect((await post('pods', pod('p0', {}))).json.message).toBe(
    'pods "p0" is forbidden: exceeded quota: lazy, requested: pods=1, used: pods=0, limited: pods=0',
  )
  expect((await post('pods', pod('p1', { requests: { memory: '1Gi' } }))).json.message).toBe(
    'pods "p1" is forbidden: failed quota: cpu: must specify requests.cpu for: c',
  )
  expect((await post('pods', pod('p2', { requests: { cpu: '600m' } }))).status).toBe(201)
  expect((await post('pods', pod('p3', { requests: { cpu: '600m' } }))).json.message).toBe(
    'pods "p3" is forbidden: exceeded quota: cpu, requested: requests.cpu=600m, used: requests.cpu=600m, limited: requests.cpu=1',
  )
  expect(await usedOf('cpu')).toEqual({ 'requests.cpu': '600m', 'count/pods': '1' })
  for (const name of ['cpu', 'lazy']) await api.request('DELETE', `${base}/resourcequotas/${name}`)
})

test('a limit range fills in what containers leave out and refuses what is out of range', async () => {
  await post('limitranges', {
    metadata: { name: 'l' },
    spec: {
      limits: [
        { type: 'Container', max: { cpu: '1' }, min: { cpu: '100m' }, default: { cpu: '500m' } },
      ],
    },
  })
  const made = await post('pods', pod('l1', {}))
  expect(made.json.spec.containers[0].resources).toEqual({
    limits: { cpu: '500m' },
    requests: { cpu: '500m' },
  })
  expect(made.json.metadata.annotations).toEqual({
    'kubernetes.io/limit-ranger':
      'LimitRanger plugin set: cpu request for container c; cpu limit for container c',
  })
  expect(made.json.status.qosClass).toBe('Burstable')
  const refused = await post('pods', pod('l2', { limits: { cpu: '2' }, requests: { cpu: '50m' } }))
  expect(refused.json.message).toBe(
    'pods "l2" is forbidden: [minimum cpu usage per Container is 100m, but request is 50m, maximum cpu usage per Container is 1, but limit is 2]',
  )
  await api.request('DELETE', `${base}/limitranges/l`)
})
