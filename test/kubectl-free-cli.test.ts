// The `balsa` verbs for those who have no kubectl: the examples from apply to delete on a whole cluster, and the same words to balsa and
// kubectl with the same answers.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BalsaProcess, run, runBalsa, stopBalsaProcesses, waitFor } from './balsa-process.ts'
import { freePorts } from './free-ports.ts'
import type { Finished } from './balsa-process.ts'
import { missing, repositoryRoot, tools } from './tools.ts'

let folder: string
let up: BalsaProcess

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'balsa-cli-'))
  const [client, peer, api] = await freePorts(3)
  const flags = ['--client-url', `http://127.0.0.1:${client}`]
  flags.push('--peer-url', `http://127.0.0.1:${peer}`, '--api-url', `https://127.0.0.1:${api}`)
  up = new BalsaProcess(['up', ...flags], { cwd: folder })
  await up.ready()
})
afterAll(async () => {
  await balsa('delete', 'deployments,pods', '--all', '--now')
  await stopBalsaProcesses()
  await rm(folder, { recursive: true, force: true })
})

/** Runs beside `.balsa`, so that it finds the kubeconfig by itself. */
const balsa = (...words: string[]): Promise<Finished> =>
  runBalsa(words, { cwd: folder, env: { KUBECONFIG: '', HOME: folder } })
const kubectl = (...words: string[]): Promise<Finished> =>
  run(tools.kubectl ?? '', words, {
    cwd: folder,
    env: { KUBECONFIG: join(folder, '.balsa', 'kubeconfig'), HOME: folder },
  })
const example = (name: string): string => join(repositoryRoot, 'examples', name)

/** Standard output of a verb that must not fail. */
const output = async (...words: string[]): Promise<string> => {
  const { code, stdout, stderr } = await balsa(...words)
  if (code !== 0) throw new Error(`balsa ${words.join(' ')}: ${stderr}`)
  return stdout
}
const rows = (table: string): string[][] =>
  table
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/))

describe('the examples', () => {
  test('hello is applied, answers at three addresses, is scaled and deleted', async () => {
    expect(await output('apply', '-f', example('hello.yaml'))).toBe(
      'deployment.apps/hello created\nservice/hello created\n',
    )
    const podRows = async (): Promise<string[][]> =>
      rows(await output('get', 'pods', '-l', 'app=hello', '-o', 'wide', '--no-headers'))
    const running = await waitFor('three ready pods', async () => {
      const all = await podRows()
      return all.length === 3 && all.every((row) => row[1] === '1/1') ? all : undefined
    })
    for (const [name, , , , , address] of running) {
      const response = await fetch(`http://${address}:8080/`)
      expect(await response.text()).toBe(`Hello from ${name}\n`)
    }
    expect(await output('logs', 'deployment/hello', '--tail=1')).toBe('GET /\n')
    expect(await output('apply', '-f', example('hello.yaml'))).toBe(
      'deployment.apps/hello unchanged\nservice/hello unchanged\n',
    )
    expect(await output('scale', 'deployment/hello', '--replicas=1')).toBe(
      'deployment.apps/hello scaled\n',
    )
    await waitFor('one pod', async () => (await podRows()).length === 1)
    expect(await output('delete', '-f', example('hello.yaml'))).toBe(
      'deployment.apps "hello" deleted\nservice "hello" deleted\n',
    )
    await waitFor('no pods', async () => {
      const { stderr } = await balsa('get', 'pods', '-l', 'app=hello')
      return stderr === 'No resources found in default namespace.\n'
    })
  })

  test('config reads its settings as environment and as files', async () => {
    await output('apply', '-f', example('config.yaml'))
    await waitFor('the pod to complete', async () =>
      (await output('get', 'pod', 'greeter', '--no-headers')).includes('Completed'),
    )
    expect(await output('logs', 'greeter')).toBe(
      'language: en\ngreeting: Good morning\nthe password has 11 letters\n',
    )
  })

  test('crash-loop is restarted, counted, and its last words are kept', async () => {
    await output('apply', '-f', example('crash-loop.yaml'))
    await waitFor('a restart', async () => {
      const [row] = rows(await output('get', 'pod', 'crash', '--no-headers'))
      return Number.parseInt(row?.[3] ?? '', 10) > 0
    })
    expect(await output('logs', 'crash', '--previous')).toContain('something is wrong')
  })

  test.each(['name', 'wide'])('get -w -o %s shows what is there and goes on', async (form) => {
    const path = join(folder, 'watched.yaml')
    const manifest = (name: string): string =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}-${form}}\n---\n`
    await writeFile(path, manifest('before'))
    await output('apply', '-f', path)
    const watch = new BalsaProcess(['get', 'configmaps', '-w', '-o', form], {
      cwd: folder,
      env: { KUBECONFIG: '', HOME: folder },
    })
    try {
      await waitFor('what was there', () => watch.stdout.includes(`before-${form}`))
      await writeFile(path, manifest('after'))
      await output('apply', '-f', path)
      await waitFor('the change', () => watch.stdout.includes(`after-${form}`))
    } finally {
      await watch.stop()
    }
  })
})

describe.skipIf(missing('kubectl'))('balsa and kubectl answer alike', () => {
  const bare = (text: string): string =>
    text.replaceAll(/\b\d+[smhd](?:\d+[smhd])? *\b/g, 'AGE ').replaceAll('kubectl', 'balsa')

  beforeAll(async () => {
    const path = join(folder, 'alike.yaml')
    await writeFile(
      path,
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: alike, labels: {a: b}}\ndata: {x: "<1>", y: "2\\n"}\n',
    )
    const wrong = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p' },
      spec: { containers: [{}] },
    }
    await writeFile(join(folder, 'invalid.json'), JSON.stringify(wrong))
    await writeFile(join(folder, 'typo.json'), JSON.stringify({ ...wrong, spce: {} }))
    const text = { ...wrong, spec: { containers: 'many' } }
    await writeFile(join(folder, 'wrong-type.json'), JSON.stringify(text))
    await output('apply', '-f', path)
  })

  test.each([
    'get ns',
    'get namespaces --show-labels',
    'get nodes',
    'get svc -A',
    'get service kubernetes -o yaml',
    'get cm,svc -l a=b',
    'get cm alike -o json',
    'get configmaps -o yaml -l a=b',
    'get cm -o name -l a=b',
    'get cm/alike svc/kubernetes',
    'get cm alike nope',
    'get cm nope --ignore-not-found',
    'get pods -n nowhere',
    'get replicasets -A',
    'get nope',
    'get pod nope',
    'get deployments.v1.apps nope',
    'apply -f alike.yaml',
    'apply -f invalid.json',
    'apply -f typo.json',
    'apply -f wrong-type.json',
    'apply -f missing.json',
    'api-versions',
    'describe pod nope',
    'events -n nowhere',
    'top pods -n nowhere',
    'exec nope -- true',
    'delete pod nope',
    'delete pods',
  ])('%s', async (words) => {
    const [ours, theirs] = await Promise.all([
      balsa(...words.split(' ')),
      kubectl(...words.split(' ')),
    ])
    expect({ ...ours, stdout: bare(ours.stdout), stderr: bare(ours.stderr) }).toEqual({
      ...theirs,
      stdout: bare(theirs.stdout),
      stderr: bare(theirs.stderr),
    })
  })
})
