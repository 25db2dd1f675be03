import { lstat, mkdtemp, readFile, readdir, readlink, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { FakeApiClient } from '../../client/testing/fake-api-client.ts'
import { podOf } from '../../controllers/testing/objects.ts'
import { configMapType, type ConfigMap } from '../../resources/config-map.ts'
import type { Container, EnvVar, Volume, VolumeMount } from '../../resources/pod-spec/pod-spec.ts'
import { secretType, type Secret } from '../../resources/secret.ts'
import { ImageError, containerArgv, imageProgram } from '../pod/container-command.ts'
import { PodAddresses } from '../pod/pod-address.ts'
import { ConfigSource } from './config-source.ts'
import { containerEnvironment } from './environment.ts'
import { expandVariables } from './expand-variables.ts'
import type { PodPlace } from './pod-field.ts'
import { mountVolumes, prepareVolumes, refreshVolumes } from './volumes.ts'

let dir = ''
let source: ConfigSource
let client: FakeApiClient
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'balsa-config-'))
  client = new FakeApiClient()
  source = new ConfigSource(client, 'default')
  const metadata = { namespace: 'default' }
  await client.create<ConfigMap>(configMapType, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { ...metadata, name: 'cm' },
    data: { A: '1', 'b.txt': 'text' },
    binaryData: { bin: '/w==' },
  })
  await client.create<Secret>(secretType, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { ...metadata, name: 's' },
    data: { PASSWORD: 'aHVzaA==' },
  })
})
afterEach(() => rm(dir, { recursive: true, force: true }))

const container = (more: Partial<Container>): Container => ({
  name: 'c',
  image: 'i',
  resources: {},
  ...more,
})
const place = (volumes: readonly Volume[] = []): PodPlace => ({
  pod: podOf('p', {
    spec: { volumes, containers: [container({ resources: { limits: { memory: '64Mi' } } })] },
    metadata: { annotations: { note: 'a "b"' } },
  }),
  podIp: '127.64.0.1',
  hostIp: '10.0.0.1',
  allocatable: { cpu: '2', memory: '1Gi' },
})
/** Without the folders and links behind the files. */
const visible = (names: readonly string[]): string[] =>
  names.filter((name) => !name.startsWith('..')).toSorted((a, b) => a.localeCompare(b))
const environment = (more: Partial<Container>): Promise<Record<string, string>> =>
  containerEnvironment(container(more), place(), source, '/pod')
const value = async (variable: Omit<EnvVar, 'name'>): Promise<string | undefined> =>
  (await environment({ env: [{ name: 'X', ...variable }] }))['X']
const mounted = async (
  volume: Omit<Volume, 'name'>,
  mount: Partial<VolumeMount> = {},
): Promise<string> => {
  const dirs = { rootDir: join(dir, 'root'), volumesDir: join(dir, 'volumes') }
  await prepareVolumes(place([{ name: 'v', ...volume }]), source, dirs.volumesDir)
  await mountVolumes(
    container({ volumeMounts: [{ name: 'v', mountPath: '/etc/app', ...mount }] }),
    dirs,
    { NAME: 'p' },
  )
  return join(dirs.rootDir, 'etc/app')
}

test('variables are expanded, $$ is a dollar, and unknown names stay', () => {
  const values = new Map([['A', '1']])
  expect(expandVariables('$(A) $(B) $$(A) $A $(A', values)).toBe('1 $(B) $(A) $A $(A')
})

test('env can use what stands before it, and overrides envFrom', async () => {
  const env = await environment({
    envFrom: [{ prefix: 'P_', configMapRef: { name: 'cm' } }, { secretRef: { name: 's' } }],
    env: [
      { name: 'P_A', value: '2' },
      { name: 'Y', value: '$(P_A)-$(PASSWORD)-$(Z)' },
      { name: 'Z', value: 'late' },
    ],
  })
  expect(env).toMatchObject({
    P_A: '2',
    Y: '2-hush-$(Z)',
    PASSWORD: 'hush',
    HOSTNAME: 'p',
    POD_IP: '127.64.0.1',
    BALSA_ROOT: '/pod',
  })
})

test('values come from fields, resources, ConfigMaps and Secrets', async () => {
  expect(
    await value({ valueFrom: { fieldRef: { fieldPath: `metadata.annotations['note']` } } }),
  ).toBe('a "b"')
  expect(await value({ valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } })).toBe('n1')
  expect(
    await value({ valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } }),
  ).toBe('64')
  expect(await value({ valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } })).toBe('2')
  expect(await value({ valueFrom: { configMapKeyRef: { name: 'cm', key: 'A' } } })).toBe('1')
  expect(await value({ valueFrom: { secretKeyRef: { name: 's', key: 'PASSWORD' } } })).toBe('hush')
  expect(
    await value({ valueFrom: { secretKeyRef: { name: 'none', key: 'x', optional: true } } }),
  ).toBeUndefined()
})

test('what is missing is named as a kubelet names it', async () => {
  await expect(
    value({ valueFrom: { configMapKeyRef: { name: 'none', key: 'A' } } }),
  ).rejects.toThrow('configmap "none" not found')
  await expect(value({ valueFrom: { secretKeyRef: { name: 's', key: 'none' } } })).rejects.toThrow(
    `couldn't find key none in Secret default/s`,
  )
  await expect(mounted({ secret: { secretName: 'none' } })).rejects.toThrow(
    'MountVolume.SetUp failed for volume "v" : secret "none" not found',
  )
})

test('the environment of the agent itself is not passed on', async () => {
  process.env['BALSA_TEST_PRIVATE'] = '1'
  expect(await environment({})).not.toHaveProperty('BALSA_TEST_PRIVATE')
  delete process.env['BALSA_TEST_PRIVATE']
})

test('ConfigMaps and Secrets become files, with the modes that are asked for', async () => {
  const config = await mounted({ configMap: { name: 'cm', defaultMode: 0o644 } })
  expect(visible(await readdir(config))).toEqual(['A', 'b.txt', 'bin'])
  expect(await readFile(join(config, 'bin'))).toEqual(Buffer.from([0xff]))
  const secret = await mounted({
    secret: { secretName: 's', defaultMode: 0o440, items: [{ key: 'PASSWORD', path: 'sub/pass' }] },
  })
  expect(await readFile(join(secret, 'sub/pass'), 'utf8')).toBe('hush')
  expect((await stat(join(secret, 'sub/pass'))).mode & 0o777).toBe(0o440)
})

test('a volume follows its ConfigMap, all files at once, and keeps what it has when that is gone', async () => {
  const volumes = [{ name: 'v', configMap: { name: 'cm' } }]
  const folder = await mounted({ configMap: { name: 'cm' } })
  const before = await readlink(join(folder, '..data'))
  const refresh = (): Promise<void> => refreshVolumes(place(volumes), source, join(dir, 'volumes'))
  await refresh()
  expect(await readlink(join(folder, '..data'))).toBe(before)
  await client.patch(configMapType, 'default', 'cm', 'merge', { data: { A: '2', 'b.txt': null } })
  await refresh()
  expect([visible(await readdir(folder)), await readFile(join(folder, 'A'), 'utf8')]).toEqual([
    ['A', 'bin'],
    '2',
  ])
  expect((await readdir(folder)).filter((name) => name.startsWith('..'))).toHaveLength(2)
  await client.delete(configMapType, 'default', 'cm')
  await refresh()
  expect(await readFile(join(folder, 'A'), 'utf8')).toBe('2')
})

test('an emptyDir keeps what is in it when the pod is prepared again', async () => {
  const folder = await mounted({ emptyDir: {} })
  await writeFile(join(folder, 'kept'), 'x')
  expect(await readdir(await mounted({ emptyDir: {} }))).toEqual(['kept'])
})

test('a sub-path is made where it is missing, and may name variables', async () => {
  await writeFile(join(await mounted({ emptyDir: {} }, { subPath: 'a/b' }), 'one'), '')
  await writeFile(join(await mounted({ emptyDir: {} }, { subPathExpr: 'a/$(NAME)' }), 'two'), '')
  const folder = await mounted({ emptyDir: {} })
  expect([await readdir(join(folder, 'a/b')), await readdir(join(folder, 'a/p'))]).toEqual([
    ['one'],
    ['two'],
  ])
})

test('a hostPath is the folder itself, and its type is checked', async () => {
  await writeFile(join(dir, 'file'), 'x')
  const link = await mounted({ hostPath: { path: dir, type: 'Directory' } })
  expect(await readFile(join(link, 'file'), 'utf8')).toBe('x')
  await expect(
    mounted({ hostPath: { path: join(dir, 'file'), type: 'Directory' } }),
  ).rejects.toThrow('hostPath type check failed')
})

test('projected and downward API volumes are written', async () => {
  const folder = await mounted({
    projected: {
      sources: [
        { configMap: { name: 'cm', items: [{ key: 'A', path: 'a' }] } },
        {
          downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] },
        },
      ],
    },
  })
  expect([
    await readFile(join(folder, 'a'), 'utf8'),
    await readFile(join(folder, 'labels'), 'utf8'),
  ]).toEqual(['1', 'app="a"'])
})

test('no path of a manifest leads out of the folder of the pod', async () => {
  const config = await mounted({
    configMap: { name: 'cm', items: [{ key: 'A', path: '../../../escaped' }] },
  })
  expect(visible(await readdir(config))).toEqual(['escaped'])
  await mounted({ emptyDir: {} }, { mountPath: '/../../outside' })
  expect((await lstat(join(dir, 'root', 'outside'))).isSymbolicLink()).toBe(true)
  await expect(mounted({ emptyDir: {} }, { mountPath: '/' })).rejects.toThrow(
    'cannot be mounted at /',
  )
})

test('an image names a program unless there is a command', () => {
  expect(
    [
      'node',
      'node:20',
      'docker.io/library/node:20',
      'registry:5000/node@sha256:00',
      '/usr/bin/node',
    ].map(imageProgram),
  ).toEqual(['node', 'node', 'node', 'node', '/usr/bin/node'])
  expect(containerArgv(container({ image: 'node', args: ['$(A)'] }), { A: '1' })).toEqual([
    'node',
    '1',
  ])
  expect(containerArgv(container({ image: 'label', command: ['sh'], args: ['-c'] }), {})).toEqual([
    'sh',
    '-c',
  ])
  expect(() => imageProgram('oci:nginx')).toThrow(ImageError)
  expect(() => imageProgram('')).toThrow(ImageError)
})

test('addresses follow from the uid, are never given twice, and come back', () => {
  const addresses = new PodAddresses()
  const given = Array.from({ length: 5000 }, (_, index) => addresses.of(`uid-${index}`))
  expect(new Set(given).size).toBe(5000)
  expect(
    given.every((address) =>
      /^127\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.\d{1,3}\.([1-9]\d{0,2})$/.test(address),
    ),
  ).toBe(true)
  expect(new PodAddresses().of('uid-0')).toBe(given[0])
  const other = new PodAddresses()
  expect([other.claim('first', given[0] ?? ''), other.claim('second', given[0] ?? '')]).toEqual([
    true,
    false,
  ])
  expect(other.of('uid-0')).not.toBe(given[0])
})
