// The example operators as their users run them: processes of plain node, each against a cluster of its own in this process.
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Cluster, startCluster } from '@balsa/orchestrator'
import { hasCondition, type KubeObject, waitFor, type Stored } from '@balsa/orchestrator/client'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { Kubectl } from './kubectl-process.ts'
import { missing, repositoryRoot, tools } from './tools.ts'

interface Website extends KubeObject {
  readonly spec: { readonly domain: string; readonly replicas?: number }
  readonly status?: { readonly readyReplicas?: number }
}
interface Replicated extends KubeObject {
  readonly spec: { readonly replicas: number }
}

const websites = { group: 'example.com', version: 'v1', plural: 'websites' }
const definitions = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
}
const deployments = { group: 'apps', version: 'v1', plural: 'deployments' }
const services = { group: '', version: 'v1', plural: 'services' }
const definition = { name: 'websites.example.com' }
const blog = { namespace: 'default', name: 'blog' }
const timeoutMs = 60_000

const open: { cluster: Cluster; operator: ChildProcess }[] = []
afterEach(async () => {
  for (const { cluster, operator } of open.splice(0)) {
    operator.kill('SIGKILL')
    await cluster.close()
  }
})

const start = async (example: string): Promise<Cluster & { output: () => string }> => {
  const cluster = await startCluster()
  let output = ''
  const operator = spawn(process.execPath, [join(repositoryRoot, 'examples', example)], {
    env: { ...process.env, KUBECONFIG: cluster.kubeconfig },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const stream of [operator.stdout, operator.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  open.push({ cluster, operator })
  return { ...cluster, output: () => output }
}

const served = (current: Stored<KubeObject> | undefined): boolean =>
  hasCondition(current, 'Established')

const ready =
  (count: number) =>
  (website: Stored<Website> | undefined): boolean =>
    website?.status?.readyReplicas === count
const isGone = (object: unknown): boolean => object === undefined

describe.each(['operator.mjs', 'operator-client-node.mjs'])('%s', (example) => {
  test('makes a Deployment and a Service of a Website, follows its scale, and tells its status', async () => {
    const cluster = await start(example)
    const { client } = cluster
    const wait = { timeoutMs }
    await waitFor(client, definitions, definition, served, wait)
    await cluster.resource<Website>(websites).create({
      apiVersion: 'example.com/v1',
      kind: 'Website',
      metadata: { ...blog },
      spec: { domain: 'blog.example.com', replicas: 2 },
    })
    await waitFor<Website>(client, websites, blog, ready(2), wait)
    const [endpoint] = await cluster.resource(services).list({ labelSelector: 'website=blog' })
    expect(endpoint?.metadata.ownerReferences).toMatchObject([{ kind: 'Website', name: 'blog' }])
    await cluster.resource<Website>(websites).patch(blog, { spec: { replicas: 3 } })
    await waitFor<Website>(client, websites, blog, ready(3), wait)
    const deployment = await cluster.resource<Replicated>(deployments).get(blog)
    expect(deployment.spec.replicas).toBe(3)
    await cluster.resource(websites).delete(blog)
    for (const children of [deployments, services])
      await waitFor(client, children, blog, isGone, wait)
    // What it writes comes through a pipe, when it comes.
    await vi.waitFor(() => expect(cluster.output()).toContain('default/blog: 3 ready'), timeoutMs)
  })
})

test.skipIf(missing('kubectl'))('kubectl applies, shows, scales and deletes Websites', async () => {
  const cluster = await start('operator.mjs')
  const home = await mkdtemp(join(tmpdir(), 'balsa-operator-'))
  const kubectl = new Kubectl(tools.kubectl ?? '', home, cluster.kubeconfig)
  try {
    await waitFor(cluster.client, definitions, definition, served, { timeoutMs })
    const manifest = join(repositoryRoot, 'examples/website.yaml')
    const run = async (...words: string[]): Promise<string> => {
      const { code, out, err } = await kubectl.start(words).done
      expect({ code, err }).toEqual({ code: 0, err: '' })
      return out
    }
    expect(await run('apply', '-f', manifest)).toBe('website.example.com/blog created\n')
    const scaled = await run('scale', 'website/blog', '--replicas=1')
    expect(scaled).toBe('website.example.com/blog scaled\n')
    await waitFor<Website>(cluster.client, websites, blog, ready(1), { timeoutMs })
    expect(await run('get', 'web', '--no-headers')).toMatch(/^blog +blog\.example\.com +1\n$/)
    await run('delete', '-f', manifest)
    await waitFor(cluster.client, deployments, blog, isGone, { timeoutMs })
  } finally {
    await rm(home, { recursive: true, force: true })
  }
})

test('the example fits on a page', () => {
  const source = readFileSync(join(repositoryRoot, 'examples/operator.mjs'), 'utf8')
  expect(source.trimEnd().split('\n').length).toBeLessThanOrEqual(40)
})
