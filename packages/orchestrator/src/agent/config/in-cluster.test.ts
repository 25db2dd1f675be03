import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { FakeApiClient } from '../../client/testing/fake-api-client.ts'
import { podOf } from '../../controllers/testing/objects.ts'
import { endpointsType, type Endpoints } from '../../resources/endpoints.ts'
import type { Container } from '../../resources/pod-spec/pod-spec.ts'
import { ConfigSource } from './config-source.ts'
import { containerEnvironment } from './environment.ts'
import type { PodPlace } from './pod-field.ts'
import { prepareVolumes, refreshVolumes } from './volumes.ts'

const accountPath = '/var/run/secrets/kubernetes.io/serviceaccount'
const lifeSeconds = 1000
let dir = ''
let client: FakeApiClient
let source: ConfigSource
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'balsa-in-cluster-'))
  client = new FakeApiClient()
  source = new ConfigSource(client, 'default')
})
afterEach(() => rm(dir, { recursive: true, force: true }))

const container: Container = {
  name: 'c',
  image: 'i',
  resources: {},
  volumeMounts: [{ name: 'account', mountPath: accountPath }],
}
const place: PodPlace = {
  pod: podOf('p', {
    spec: {
      containers: [container],
      volumes: [
        {
          name: 'account',
          projected: {
            sources: [{ serviceAccountToken: { path: 'token', expirationSeconds: lifeSeconds } }],
          },
        },
      ],
    },
  }),
  podIp: '127.64.0.1',
  hostIp: '10.0.0.1',
  allocatable: {},
}

test('a program is told where the apiserver is and gets a kubeconfig of its account', async () => {
  const rootDir = join(dir, 'root')
  expect(await containerEnvironment(container, place, source, rootDir)).not.toHaveProperty(
    'KUBECONFIG',
  )
  await client.create<Endpoints>(endpointsType, {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { name: 'kubernetes', namespace: 'default' },
    subsets: [{ addresses: [{ ip: '127.0.0.1' }], ports: [{ name: 'https', port: 6443 }] }],
  })
  const env = await containerEnvironment(container, place, source, rootDir)
  expect(env).toMatchObject({
    KUBERNETES_SERVICE_HOST: '127.0.0.1',
    KUBERNETES_SERVICE_PORT: '6443',
    KUBECONFIG: join(dir, 'kubeconfig'),
  })
  const config: unknown = JSON.parse(await readFile(join(dir, 'kubeconfig'), 'utf8'))
  expect(config).toMatchObject({
    clusters: [{ cluster: { server: 'https://127.0.0.1:6443' } }],
    users: [{ user: { tokenFile: join(rootDir, accountPath, 'token') } }],
  })
  const { volumeMounts: _none, ...bare } = container
  expect(await containerEnvironment(bare, place, source, rootDir)).not.toHaveProperty('KUBECONFIG')
  const own = { ...container, env: [{ name: 'KUBECONFIG', value: 'mine' }] }
  expect((await containerEnvironment(own, place, source, rootDir))['KUBECONFIG']).toBe('mine')
})

test('a token is due for another when four fifths of its life are over', async () => {
  const token = (): Promise<string> => readFile(join(dir, 'account', 'token'), 'utf8')
  expect(source.tokensDueAtMs).toBe(Number.POSITIVE_INFINITY)
  const before = Date.now()
  await prepareVolumes(place, source, dir)
  const dueAfterMs = source.tokensDueAtMs - before
  // Far from a half and from the whole, however slow this machine is.
  expect(Math.abs(dueAfterMs - lifeSeconds * 800)).toBeLessThan(60_000)
  expect(await token()).toBe('token-of-default-default')
  const { createToken } = client
  client.createToken = async (...asked) => ({
    ...(await createToken.apply(client, asked)),
    token: 'another',
  })
  await refreshVolumes(place, source, dir)
  expect(await token()).toBe('token-of-default-default')
  vi.setSystemTime(source.tokensDueAtMs + 1)
  await refreshVolumes(place, source, dir)
  vi.useRealTimers()
  expect(await token()).toBe('another')
})
