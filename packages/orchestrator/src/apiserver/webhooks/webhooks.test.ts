import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Cluster, startCluster } from '../../cluster.ts'
import { connectApi, type ApiConnection } from '../../client/connect-api.ts'
import type {
  Webhook,
  WebhookConfiguration,
} from '../../resources/admission/webhook-configuration.ts'
import type { Json, KubeObject } from '../../resources/object.ts'
import { createAuthority, signLeaf } from '../pki/signer.ts'

interface Review {
  readonly request: {
    readonly uid: string
    readonly operation: string
    readonly name?: string
    readonly userInfo: { readonly username: string }
    readonly object: KubeObject | null
    readonly oldObject: KubeObject | null
    readonly dryRun: boolean
  }
}
type Answer = { readonly [key: string]: Json } | 'hang' | 'garbage' | 'upgrade' | 'endless'

/** By path: what the webhook there answers. */
const answers = new Map<string, (review: Review['request']) => Answer>()
const asked: string[] = []
let cluster: Cluster
let api: ApiConnection
let server: Server
let caBundle: string

beforeAll(async () => {
  const authority = await createAuthority()
  const certificate = await signLeaf(authority, {
    commonName: 'webhooks',
    organizations: [],
    usage: 'server',
    names: [
      { type: 'ip', value: '127.0.0.1' },
      { type: 'dns', value: 'hook.default.svc' },
    ],
  })
  caBundle = Buffer.from(authority.certificate).toString('base64')
  server = createServer(
    { key: certificate.key, cert: certificate.certificate },
    (request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const { request: review } = JSON.parse(Buffer.concat(chunks).toString()) as Review
        const path = (request.url ?? '').split('?', 1)[0] ?? ''
        asked.push(`${path} ${review.operation} ${review.name ?? ''}`)
        const answer = answers.get(path)?.(review) ?? { allowed: true }
        if (answer === 'hang') return
        if (answer === 'upgrade') {
          const head = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x'
          request.socket.write(`${head}\r\n\r\n`)
          return
        }
        response.setHeader('content-type', 'application/json')
        if (answer === 'endless') {
          const timer = setInterval(() => response.write(' '), 50)
          response.once('close', () => clearInterval(timer))
          return
        }
        response.end(
          answer === 'garbage' ? '{' : JSON.stringify({ response: { uid: review.uid, ...answer } }),
        )
      })
    },
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cluster = await startCluster({ agents: 0 })
  api = connectApi({ kubeconfig: cluster.kubeconfig })
})
afterAll(async () => {
  api.close()
  await cluster.close()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})
beforeEach(() => {
  answers.clear()
  asked.length = 0
})

const configMaps = { group: '', version: 'v1', plural: 'configmaps' }
const configMap = (name: string, data: Readonly<Record<string, string>> = {}): KubeObject =>
  ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default' },
    data,
  }) as KubeObject
const url = (path: string): Webhook['clientConfig'] => ({
  url: `https://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
  caBundle,
})
const webhook = (path: string, more: Partial<Webhook> = {}): Webhook => ({
  name: `${path.slice(1)}.example.com`,
  clientConfig: url(path),
  rules: [{ operations: ['*'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }],
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  namespaceSelector: {
    matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: ['default'] }],
  },
  ...more,
})
/** Runs with the configuration in place. */
const configured = async (
  side: 'Mutating' | 'Validating',
  webhooks: readonly Webhook[],
  run: () => Promise<void>,
): Promise<void> => {
  const ref = {
    group: 'admissionregistration.k8s.io',
    version: 'v1',
    plural: `${side.toLowerCase()}webhookconfigurations`,
  }
  const configuration: WebhookConfiguration = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: `${side}WebhookConfiguration`,
    metadata: { name: 'test' },
    webhooks,
  }
  await api.client.create(ref, configuration)
  try {
    await run()
  } finally {
    await api.client.delete(ref, undefined, 'test')
  }
}
const patch = (value: Json): Answer => ({
  allowed: true,
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(value)).toString('base64'),
})

test('validating webhooks see what is done by whom, and refuse it with their own words', async () => {
  answers.set('/check', ({ operation, object, oldObject, userInfo }) => {
    if (operation === 'DELETE')
      return { allowed: false, status: { message: `${userInfo.username} may not` } }
    const isEmpty = Object.keys((object as unknown as { data?: object }).data ?? {}).length === 0
    if (operation === 'UPDATE') expect(oldObject?.metadata.name).toBe('one')
    return isEmpty
      ? { allowed: false, status: { code: 422, reason: 'Invalid', message: 'no data' } }
      : { allowed: true }
  })
  await configured('Validating', [webhook('/check')], async () => {
    await expect(api.client.create(configMaps, configMap('one'))).rejects.toMatchObject({
      code: 422,
      reason: 'Invalid',
      message: 'admission webhook "check.example.com" denied the request: no data',
    })
    await api.client.create(configMaps, configMap('one', { a: '1' }))
    await api.client.patch(configMaps, 'default', 'one', 'merge', { data: { b: '2' } })
    await expect(api.client.delete(configMaps, 'default', 'one')).rejects.toMatchObject({
      code: 403,
      message: 'admission webhook "check.example.com" denied the request: kubernetes-admin may not',
    })
  })
  // Refused for what the cache holds, it is asked again about what the store holds.
  const writes = ['/check CREATE one', '/check CREATE one', '/check UPDATE one']
  expect(asked).toEqual([...writes, '/check DELETE one', '/check DELETE one'])
  await api.client.delete(configMaps, 'default', 'one')
})

test('mutating webhooks change the object in turn, and who asks for it sees the change of a later one', async () => {
  answers.set('/a', ({ object }) =>
    patch([
      { op: 'add', path: '/metadata/labels', value: { ...object?.metadata.labels, a: 'yes' } },
    ]),
  )
  answers.set('/b', () => patch([{ op: 'add', path: '/metadata/labels/b', value: 'yes' }]))
  const webhooks = [webhook('/a', { reinvocationPolicy: 'IfNeeded' }), webhook('/b')]
  await configured('Mutating', webhooks, async () => {
    const made = await api.client.create(configMaps, configMap('two'))
    expect(made.metadata.labels).toEqual({ a: 'yes', b: 'yes' })
  })
  expect(asked).toEqual(['/a CREATE two', '/b CREATE two', '/a CREATE two'])
})

test('selectors and conditions say which requests concern a webhook', async () => {
  const webhooks = [
    webhook('/labels', { objectSelector: { matchLabels: { watch: 'me' } } }),
    webhook('/namespace', { namespaceSelector: { matchLabels: { no: 'where' } } }),
    webhook('/condition', {
      matchConditions: [{ name: 'big', expression: 'size(object.data) > 1' }],
    }),
    webhook('/other', {
      rules: [{ operations: ['UPDATE'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'] }],
    }),
  ]
  await configured('Validating', webhooks, async () => {
    await api.client.create(configMaps, configMap('three', { a: '1' }))
    expect(asked).toEqual([])
    const labelled = configMap('four', { a: '1', b: '2' })
    await api.client.create(configMaps, {
      ...labelled,
      metadata: { ...labelled.metadata, labels: { watch: 'me' } },
    })
    expect(asked.toSorted()).toEqual(['/condition CREATE four', '/labels CREATE four'])
  })
})

test('conditions know who may do what, and are refused where they do not compile', async () => {
  const expression =
    'request.subResource == "" && authorizer.requestResource.check("delete").allowed()'
  await configured(
    'Validating',
    [webhook('/may', { matchConditions: [{ name: 'may', expression }] })],
    async () => {
      await api.client.create(configMaps, configMap('may'))
      expect(asked).toEqual(['/may CREATE may'])
      await api.client.delete(configMaps, 'default', 'may')
    },
  )
  const wrong = [{ name: 'wrong', expression: 'objects.data == 1' }]
  await expect(
    configured('Mutating', [webhook('/wrong', { matchConditions: wrong })], async () => undefined),
  ).rejects.toMatchObject({
    code: 422,
    message: expect.stringContaining(
      'webhooks[0].matchConditions[0].expression: Invalid value: "objects.data == 1": compilation failed: ERROR: <input>:1:1: undeclared reference to \'objects\'',
    ),
  })
})

test('one that hangs or talks nonsense fails the request, or is passed over where that is allowed', async () => {
  answers.set('/hang', () => 'hang')
  answers.set('/garbage', () => 'garbage')
  await configured('Validating', [webhook('/hang', { timeoutSeconds: 1 })], async () => {
    await expect(api.client.create(configMaps, configMap('five'))).rejects.toMatchObject({
      code: 500,
      message: expect.stringMatching(
        /^Internal error occurred: failed calling webhook "hang.example.com": failed to call webhook: Post "https:.*\?timeout=1s": context deadline exceeded$/,
      ) as string,
    })
  })
  answers.set('/endless', () => 'endless')
  await configured('Validating', [webhook('/endless', { timeoutSeconds: 1 })], async () => {
    await expect(api.client.create(configMaps, configMap('five'))).rejects.toMatchObject({
      code: 500,
      message: expect.stringMatching(/context deadline exceeded$/) as string,
    })
  })
  answers.set('/upgrade', () => 'upgrade')
  await configured('Validating', [webhook('/upgrade')], async () => {
    await expect(api.client.create(configMaps, configMap('five'))).rejects.toMatchObject({
      code: 500,
      message: expect.stringMatching(/the connection was closed without an answer$/) as string,
    })
  })
  const lenient = [webhook('/garbage', { failurePolicy: 'Ignore' })]
  await configured('Validating', lenient, async () => {
    await api.client.create(configMaps, configMap('five'))
  })
})

test('a webhook changes neither where an object is nor what the system says of it', async () => {
  const kubeSystem = { op: 'replace', path: '/metadata/namespace', value: 'kube-system' }
  answers.set('/move', () => patch([kubeSystem]))
  await configured('Mutating', [webhook('/move')], async () => {
    await expect(api.client.create(configMaps, configMap('kept'))).rejects.toMatchObject({
      code: 400,
      message:
        'the namespace of the provided object does not match the namespace sent on the request',
    })
  })
  const marks = [
    { op: 'add', path: '/metadata/deletionTimestamp', value: '2020-01-01T00:00:00Z' },
    { op: 'add', path: '/metadata/uid', value: 'forged' },
    { op: 'add', path: '/metadata/creationTimestamp', value: '2020-01-01T00:00:00Z' },
    { op: 'add', path: '/data', value: { seen: 'yes' } },
  ]
  answers.set('/mark', () => patch(marks))
  await configured('Mutating', [webhook('/mark')], async () => {
    const made = await api.client.create(configMaps, configMap('kept'))
    expect(made).toMatchObject({ data: { seen: 'yes' } })
    expect(made.metadata.uid).not.toBe('forged')
    expect(made.metadata.creationTimestamp).not.toBe('2020-01-01T00:00:00Z')
    expect(made.metadata.deletionTimestamp).toBeUndefined()
  })
  const before = await api.client.get(configMaps, 'default', 'kept')
  answers.set('/strip', () =>
    patch([
      { op: 'remove', path: '/metadata/uid' },
      { op: 'add', path: '/metadata/deletionTimestamp', value: '2020-01-01T00:00:00Z' },
      { op: 'add', path: '/data', value: { seen: 'twice' } },
    ]),
  )
  await configured('Mutating', [webhook('/strip')], async () => {
    const after = await api.client.update(configMaps, before)
    expect(after).toMatchObject({ data: { seen: 'twice' } })
    expect(after.metadata.uid).toBe(before.metadata.uid)
    expect(after.metadata.deletionTimestamp).toBeUndefined()
  })
  answers.set('/forge', () => patch([{ op: 'add', path: '/metadata/uid', value: 'forged' }]))
  await configured('Mutating', [webhook('/forge')], async () => {
    await expect(api.client.update(configMaps, configMap('kept'))).rejects.toMatchObject({
      code: 422,
      message: expect.stringContaining('metadata.uid: Invalid value: "forged"') as string,
    })
  })
  await api.client.delete(configMaps, 'default', 'kept')
})

test('a webhook behind a service is found by its ready addresses and checked by its name', async () => {
  const services = { group: '', version: 'v1', plural: 'services' }
  const endpoints = { group: '', version: 'v1', plural: 'endpoints' }
  const named = { name: 'hook', namespace: 'default' }
  await api.client.create(services, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: named,
    spec: { ports: [{ port: 443 }] },
  } as KubeObject)
  const service: Partial<Webhook> = {
    clientConfig: { service: { ...named, path: '/service' }, caBundle },
  }
  await configured('Validating', [webhook('/service', service)], async () => {
    await expect(api.client.create(configMaps, configMap('six'))).rejects.toThrow(
      'no endpoints available for service "hook"',
    )
    const { port } = server.address() as AddressInfo
    await api.client.create(endpoints, {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: named,
      subsets: [{ addresses: [{ ip: '127.0.0.1' }], ports: [{ port }] }],
    } as KubeObject)
    await api.client.create(configMaps, configMap('six'))
  })
  expect(asked).toEqual(['/service CREATE six'])
})

test('a configuration that cannot be is refused with every reason', async () => {
  const wrong = webhook('/x', {
    name: 'short',
    clientConfig: { url: 'http://a:b@example.com/?q' },
    timeoutSeconds: 60,
    admissionReviewVersions: [],
  })
  await expect(configured('Validating', [wrong], () => Promise.resolve())).rejects.toThrow(
    /domain with at least three segments.*between 1 and 30 seconds.*must specify one of v1.*'https' is the only allowed URL scheme/s,
  )
})
