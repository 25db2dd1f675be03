import { once } from 'node:events'
import { connect } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ApiFixture } from '../testing/api-fixture.ts'

let api: ApiFixture
beforeAll(async () => {
  api = await ApiFixture.start()
})
afterAll(async () => {
  expect(api.errors).toEqual([])
  await api.close()
})

const pods = '/api/v1/namespaces/default/pods'
const budgets = '/apis/policy/v1/namespaces/default/poddisruptionbudgets'

/** A pod on a node, running and ready. */
const createPod = async (name: string, labels: object = {}): Promise<void> => {
  const spec = { containers: [{ name: 'c', image: 'i' }] }
  await api.request('POST', pods, { body: { metadata: { name, labels }, spec } })
  await api.server.client.bind('default', name, 'n1')
  const status = {
    phase: 'Running',
    conditions: [{ type: 'Ready', status: 'True' }],
    containerStatuses: [
      {
        name: 'c',
        image: 'i',
        imageID: '',
        ready: true,
        restartCount: 0,
        state: { running: {} },
        lastState: {},
      },
    ],
  }
  const headers = { 'content-type': 'application/merge-patch+json' }
  const body = JSON.stringify({ status })
  expect((await api.request('PATCH', `${pods}/${name}/status`, { body, headers })).status).toBe(200)
}
const createBudget = async (
  name: string,
  app: string,
  disruptionsAllowed: number,
): Promise<void> => {
  const spec = { minAvailable: 1, selector: { matchLabels: { app } } }
  const { json } = await api.request('POST', budgets, { body: { metadata: { name }, spec } })
  const status = {
    observedGeneration: json.metadata.generation,
    disruptionsAllowed,
    currentHealthy: 2,
    desiredHealthy: 2,
    expectedPods: 2,
  }
  await api.request('PUT', `${budgets}/${name}/status`, { body: { ...json, status } })
}
const evict = (name: string, more: object = {}): ReturnType<ApiFixture['request']> => {
  const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name }, ...more }
  return api.request('POST', `${pods}/${name}/eviction`, { body })
}

test('an eviction takes what the budget allows, and is refused with 429 when nothing is left', async () => {
  await createPod('a', { app: 'guarded' })
  await createPod('b', { app: 'guarded' })
  await createBudget('pp', 'guarded', 1)
  expect((await evict('a')).status).toBe(201)
  const { json: budget } = await api.request('GET', `${budgets}/pp`)
  expect(budget.status).toMatchObject({
    disruptionsAllowed: 0,
    disruptedPods: { a: expect.any(String) },
  })
  expect((await evict('b')).json).toMatchObject({
    code: 429,
    reason: 'TooManyRequests',
    message: "Cannot evict pod as it would violate the pod's disruption budget.",
    details: {
      causes: [
        {
          reason: 'DisruptionBudget',
          message: 'The disruption budget pp needs 2 healthy pods and has 2 currently',
        },
      ],
    },
  })
  await createBudget('second', 'guarded', 1)
  expect((await evict('b')).json).toMatchObject({ code: 500, reason: 'InternalError' })
})

test('a pod that no budget names, or that does not run yet, is evicted at once', async () => {
  await createPod('free')
  expect((await evict('free', { metadata: { name: 'other' } })).status).toBe(400)
  expect((await evict('free', { deleteOptions: { preconditions: { uid: 'wrong' } } })).status).toBe(
    409,
  )
  expect((await evict('free', { deleteOptions: { gracePeriodSeconds: 0 } })).status).toBe(201)
  expect((await api.request('GET', `${pods}/free`)).status).toBe(404)
  expect((await evict('free')).status).toBe(404)
})

test('ephemeral containers are added and never changed, and a resize changes resources alone', async () => {
  await createPod('debugged')
  const headers = { 'content-type': 'application/strategic-merge-patch+json' }
  const patch = (path: string, spec: object): ReturnType<ApiFixture['request']> =>
    api.request('PATCH', `${pods}/debugged/${path}`, { body: JSON.stringify({ spec }), headers })
  const added = await patch('ephemeralcontainers', {
    ephemeralContainers: [{ name: 'd', image: 'busybox' }],
  })
  expect([added.status, added.json.spec.ephemeralContainers[0]]).toEqual([
    200,
    expect.objectContaining({ name: 'd', terminationMessagePolicy: 'File' }),
  ])
  const bad = [
    [{ name: 'd', image: 'other' }],
    [{ name: 'c', image: 'taken' }],
    [{ name: 'e' }],
    [{ name: 'e', image: 'i', ports: [{ containerPort: 1 }] }],
  ]
  for (const ephemeralContainers of bad) {
    expect((await patch('ephemeralcontainers', { ephemeralContainers })).status).toBe(422)
  }
  const resized = await patch('resize', {
    containers: [{ name: 'c', image: 'changed', resources: { requests: { cpu: '2' } } }],
  })
  expect(resized.json.spec.containers[0]).toMatchObject({
    image: 'i',
    resources: { requests: { cpu: '2' } },
  })
})

test('streams are refused in plain words before anything is upgraded', async () => {
  await createPod('streamed')
  const message = async (path: string): Promise<unknown> =>
    (await api.request('POST', `${pods}/streamed/${path}`)).json.message
  expect(await message('exec?stdout=true')).toMatch('you must specify at least one command')
  expect(await message('exec?command=ls&container=nope&stdout=true')).toBe(
    'container nope is not valid for pod streamed',
  )
  expect(await message('exec?command=ls&stdout=true')).toContain('no agent of node n1 is connected')
  const unregister = api.server.nodes.register('n1', {
    readLog: () => (async function* none() {})(),
    exec: () => Promise.resolve(0),
  })
  expect(await message('exec?command=ls&stdout=true')).toBe('Upgrade request required')
  expect(await message('attach?stdout=true')).toContain('the node does not serve attach')
  unregister()
})

test('nonsense after an upgrade ends that connection and nothing else', async () => {
  const { certificates, url } = api.server
  await createPod('target')
  const unregister = api.server.nodes.register('n1', {
    readLog: () => (async function* none() {})(),
    exec: () => Promise.resolve(0),
  })
  for (const upgrade of ['SPDY/3.1', 'websocket']) {
    const socket = connect({
      host: '127.0.0.1',
      port: Number(new URL(url).port),
      ca: certificates.ca.certificate,
      cert: certificates.admin.certificate,
      key: certificates.admin.key,
    })
    const lines = [
      `${upgrade === 'websocket' ? 'GET' : 'POST'} ${pods}/target/exec?command=ls&stdout=true HTTP/1.1`,
      'Host: x',
      'Connection: Upgrade',
      `Upgrade: ${upgrade}`,
      'X-Stream-Protocol-Version: v4.channel.k8s.io',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ]
    socket.write(`${lines.join('\r\n')}\r\n\r\n`)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 101 /)
    socket.write(Buffer.alloc(5000, 0xff))
    socket.on('error', () => undefined)
    socket.resume()
    await once(socket, 'close')
  }
  unregister()
  expect((await api.request('GET', `${pods}/target`)).status).toBe(200)
})
