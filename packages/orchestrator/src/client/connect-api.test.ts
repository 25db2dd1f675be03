import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startCluster } from '../cluster.ts'
import type { KubeObject } from '../resources/object.ts'
import { connectApi, inPod } from './connect-api.ts'
import { waitFor } from './wait-for.ts'

const configMaps = { group: '', version: 'v1', plural: 'configmaps' }

test('a kubeconfig is enough to create, apply, list in pages, wait and delete, typed', async () => {
  interface ConfigMap extends KubeObject {
    readonly data?: Readonly<Record<string, string>>
  }
  await using cluster = await startCluster({ agents: 0 })
  using api = connectApi({ kubeconfig: cluster.kubeconfig })
  expect(api.namespace).toBe('default')
  for (const resource of [
    api.resource<ConfigMap>(configMaps),
    cluster.resource<ConfigMap>(configMaps),
  ]) {
    const name = { namespace: 'default', name: 'one' }
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: name, data: { a: '1' } }
    expect(await resource.find(name)).toBeUndefined()
    const created = await resource.apply(object, { fieldManager: 'test' })
    expect(created.data).toEqual({ a: '1' })
    await expect(
      resource.apply({ ...object, data: { a: '2' } }, { fieldManager: 'other' }),
    ).rejects.toThrow('conflict with "test": .data.a')
    const forced = await resource.apply(
      { ...object, data: { a: '2' } },
      { fieldManager: 'other', force: true },
    )
    expect(forced.data).toEqual({ a: '2' })
    const patched = await resource.patch(name, { data: { b: '3' } })
    expect(patched.data).toEqual({ a: '2', b: '3' })
    await expect(resource.update(created)).rejects.toMatchObject({ reason: 'Conflict' })
    expect(
      (await resource.list({ namespace: 'default' })).map((one) => one.metadata.name),
    ).toContain('one')
    const gone = waitFor(api.client, configMaps, name, (now) => now === undefined)
    await resource.delete(name)
    await gone
  }
})

test('a pod is told by its environment and the files of its ServiceAccount', () => {
  const folder = mkdtempSync(join(tmpdir(), 'balsa-in-pod-'))
  try {
    const env = { KUBERNETES_SERVICE_HOST: '::1', KUBERNETES_SERVICE_PORT: '6443' }
    expect(inPod(env, folder)).toBeUndefined()
    writeFileSync(join(folder, 'token'), 'secret\n')
    writeFileSync(join(folder, 'namespace'), 'prod')
    expect(inPod(env, folder)).toEqual({
      server: { url: 'https://[::1]:6443', tokenFile: join(folder, 'token') },
      namespace: 'prod',
    })
    expect(inPod({}, folder)).toBeUndefined()
  } finally {
    rmSync(folder, { recursive: true })
  }
})
