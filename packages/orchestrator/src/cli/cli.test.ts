// The verbs against a real apiserver over TLS, in this process: what they print, where, and how they end.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startApiServer } from '../apiserver/api-server.ts'
import type { ApiServer } from '../apiserver/api-server.ts'
import { MemoryStore } from '../apiserver/memory-store.ts'
import { failed, type Outcome, printed, runVerb } from './testing/run-verb.ts'

const folder = mkdtempSync(join(tmpdir(), 'balsa-cli-'))
const store = new MemoryStore()
let server: ApiServer
beforeAll(async () => {
  server = await startApiServer({ store, url: 'https://127.0.0.1:0', dataDir: folder })
})
afterAll(async () => {
  await server.close()
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Ages are replaced, they are nobody's to know. */
const balsa = async (...words: string[]): Promise<Outcome> => {
  const { out, ...rest } = await runVerb(server.kubeconfigPath, words)
  return { out: out.replaceAll(/\b\d+s\b/g, 'AGE'), ...rest }
}

const file = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}
const configMap = (data: string, name = 'settings'): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: ${data}\n`
const web = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: node, env: [{name: A, value: '1'}, {name: B, value: '2'}]}]}
`

beforeEach(async () => {
  await balsa('delete', 'cm,deploy,pods', '--all')
})

describe('apply', () => {
  test('creates, changes, leaves alone and takes back', async () => {
    const path = file('settings.yaml', configMap('{a: "1", b: "2"}'))
    expect(await balsa('apply', '-f', path)).toEqual(printed('configmap/settings created\n'))
    expect(await balsa('apply', '-f', path)).toEqual(printed('configmap/settings unchanged\n'))
    file('settings.yaml', configMap('{a: "1"}'))
    expect(await balsa('apply', '-f', path)).toEqual(printed('configmap/settings configured\n'))
    const settings = await server.client.get(
      { group: '', version: 'v1', plural: 'configmaps' },
      'default',
      'settings',
    )
    expect(settings).toMatchObject({ data: { a: '1' } })
  })

  test('keeps what others set in a list and removes what the manifest no longer has', async () => {
    const path = file('web.yaml', web)
    const ref = { group: 'apps', version: 'v1', plural: 'deployments' }
    await balsa('apply', '-f', path)
    await server.client.patch(ref, 'default', 'web', 'strategic', {
      spec: { replicas: 4, template: { spec: { containers: [{ name: 'c', tty: true }] } } },
    })
    file('web.yaml', web.replace(", {name: B, value: '2'}", ", {name: C, value: '3'}"))
    expect(await balsa('apply', '-f', path)).toEqual(printed('deployment.apps/web configured\n'))
    expect(await balsa('apply', '-f', path)).toEqual(printed('deployment.apps/web unchanged\n'))
    expect(await server.client.get(ref, 'default', 'web')).toMatchObject({
      spec: {
        replicas: 4,
        template: {
          spec: {
            containers: [
              {
                name: 'c',
                tty: true,
                env: [
                  { name: 'A', value: '1' },
                  { name: 'C', value: '3' },
                ],
              },
            ],
          },
        },
      },
    })
  })

  test('takes folders, lists and several documents', async () => {
    const sub = join(folder, 'several')
    mkdirSync(sub)
    file('several/b.yaml', `---\n${configMap('{}', 'b1')}---\n${configMap('{}', 'b2')}---\n`)
    file(
      'several/a.json',
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'List',
        items: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a1' } }],
      }),
    )
    file('several/c.txt', 'no manifest')
    expect(await balsa('apply', '-f', sub)).toEqual(
      printed('configmap/a1 created\nconfigmap/b1 created\nconfigmap/b2 created\n'),
    )
    expect(await balsa('delete', '-f', sub)).toEqual(
      printed('configmap "a1" deleted\nconfigmap "b1" deleted\nconfigmap "b2" deleted\n'),
    )
  })

  test.each<[string, string, string]>([
    [
      'a kind that is not served',
      'apiVersion: v1\nkind: Foo\nmetadata: {name: x}',
      'no matches for kind "Foo" in version "v1"',
    ],
    [
      'a field of the wrong type',
      'apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: 3}',
      'Error from server (BadRequest): error when creating "FILE": Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal number into Go struct field PodSpec.spec.containers of type []v1.Container',
    ],
    [
      'a field that does not exist',
      'apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {kontainers: [], containers: [{name: c, image: i}]}',
      'Error from server (BadRequest): error when creating "FILE": Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.kontainers"',
    ],
    [
      'one invalid field',
      'apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: []}',
      'The Pod "x" is invalid: spec.containers: Required value',
    ],
    [
      'several invalid fields',
      'apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{}]}',
      'The Pod "x" is invalid: \n* spec.containers[0].name: Required value\n* spec.containers[0].image: Required value',
    ],
    ['broken YAML', 'a: b: c', 'error parsing FILE'],
    ['no kind', 'apiVersion: v1', 'error validating "FILE": error validating data: kind not set'],
    ['nothing', '', 'error: no objects passed to apply'],
    ['no name', 'apiVersion: v1\nkind: ConfigMap', 'resource name may not be empty'],
  ])("refuses %s in kubectl's words", async (_what, text, message) => {
    const path = file('bad.yaml', text)
    const { out, err, code } = await balsa('apply', '-f', path)
    expect({ out, code }).toEqual({ out: '', code: 1 })
    expect(err).toContain(message.replace('FILE', path))
  })

  test('goes on with the next manifest when one fails', async () => {
    const path = file('mixed.yaml', `${configMap('3', 'bad')}---\n${configMap('{}', 'good')}`)
    const { out, code } = await balsa('apply', '-f', path)
    expect({ out, code }).toEqual({ out: 'configmap/good created\n', code: 1 })
  })

  test('does not move an object to another namespace', async () => {
    const path = file(
      'ns.yaml',
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: a}',
    )
    expect(await balsa('apply', '-f', path, '-n', 'b')).toEqual(
      failed(
        `error: the namespace from the provided object "a" does not match the namespace "b". You must pass '--namespace=a' to perform this operation.`,
      ),
    )
  })
})

describe('get', () => {
  beforeEach(async () => {
    await balsa('apply', '-f', file('web.yaml', web))
    await balsa('apply', '-f', file('settings.yaml', configMap('{a: "1"}')))
  })

  test.each<[string, string]>([
    [
      'deploy',
      'NAME   READY   UP-TO-DATE   AVAILABLE   AGE\nweb    0/1     0            0           AGE\n',
    ],
    [
      'deployments.apps -o wide',
      'NAME   READY   UP-TO-DATE   AVAILABLE   AGE   CONTAINERS   IMAGES   SELECTOR\nweb    0/1     0            0           AGE    c            node     app=web\n',
    ],
    ['cm,deploy -o name', 'configmap/settings\ndeployment.apps/web\n'],
    ['cm/settings deployment/web -o name', 'configmap/settings\ndeployment.apps/web\n'],
    ['deployments -A --no-headers', 'default   web   0/1   0     0     AGE\n'],
    [
      'cm,deploy',
      'NAME                 DATA   AGE\nconfigmap/settings   1      AGE\n\nNAME                  READY   UP-TO-DATE   AVAILABLE   AGE\ndeployment.apps/web   0/1     0            0           AGE\n',
    ],
  ])('%s', async (words, out) => {
    const outcome = await balsa('get', ...words.split(' '))
    // Ages differ in length, so columns after them are compared without their gaps.
    const plain = (text: string): string => text.replaceAll(/AGE +/g, 'AGE ')
    expect({ ...outcome, out: plain(outcome.out) }).toEqual(printed(plain(out)))
  })

  test('several names stand in one table', async () => {
    await balsa('apply', '-f', file('longer.yaml', configMap('{}', 'settings-of-another')))
    const { out } = await balsa('get', 'cm', 'settings', 'settings-of-another')
    const columns = out
      .trimEnd()
      .split('\n')
      .map((line) => line.search(/DATA|\b[01]\b/))
    expect(new Set(columns).size).toBe(1)
  })

  test('one object as YAML and JSON, several as a List', async () => {
    const { out: yaml } = await balsa('get', 'cm', 'settings', '-o', 'yaml')
    expect(yaml).toMatch(/^apiVersion: v1\ndata:\n {2}a: "1"\nkind: ConfigMap\nmetadata:\n/)
    const { out } = await balsa('get', 'cm', '-o', 'json')
    expect(JSON.parse(out)).toMatchObject({
      apiVersion: 'v1',
      kind: 'List',
      items: [{ kind: 'ConfigMap', metadata: { name: 'settings' } }],
    })
  })

  test.each<[string, string]>([
    ['nope', `error: the server doesn't have a resource type "nope"`],
    ['pod x', 'Error from server (NotFound): pods "x" not found'],
    ['deploy x', 'Error from server (NotFound): deployments.apps "x" not found'],
    [
      'pods --field-selector spec.foo=x',
      'Error from server (BadRequest): field label not supported: spec.foo',
    ],
    [
      'pods/x cm',
      "error: there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'balsa get resource/<resource_name>' instead of 'balsa get resource resource/<resource_name>'",
    ],
  ])('%s fails', async (words, text) => {
    expect(await balsa('get', ...words.split(' '))).toEqual(failed(text))
  })

  test('says where it found nothing', async () => {
    expect(await balsa('get', 'pods')).toEqual({
      out: '',
      err: 'No resources found in default namespace.\n',
      code: 0,
    })
    expect(await balsa('get', 'pods', '-A')).toMatchObject({ err: 'No resources found\n' })
    expect(await balsa('get', 'pod', 'x', '--ignore-not-found')).toEqual(printed(''))
  })

  test('shows what is there when one of several names is missing', async () => {
    const { out, err, code } = await balsa('get', 'cm', 'settings', 'nope', '-o', 'name')
    expect({ out, err, code }).toEqual({
      out: 'configmap/settings\n',
      err: 'Error from server (NotFound): configmaps "nope" not found\n',
      code: 1,
    })
  })
})

test('scale sets replicas and says when there is nothing to scale', async () => {
  await balsa('apply', '-f', file('web.yaml', web))
  expect(await balsa('scale', 'deployment/web', '--replicas=3')).toEqual(
    printed('deployment.apps/web scaled\n'),
  )
  const { out } = await balsa('get', 'deploy', 'web', '--no-headers')
  expect(out).toContain('0/3')
  expect(await balsa('scale', 'deploy/nope', '--replicas=3')).toEqual(
    failed('Error from server (NotFound): deployments.apps "nope" not found'),
  )
})

test('delete wants a name, and tells what is not there', async () => {
  expect(await balsa('delete', 'pods')).toEqual(
    failed('error: resource(s) were provided, but no name was specified'),
  )
  expect(await balsa('delete', 'pod', 'x')).toEqual(
    failed('Error from server (NotFound): pods "x" not found'),
  )
  expect(await balsa('delete', 'pod', 'x', '--ignore-not-found')).toEqual(printed(''))
  await balsa('apply', '-f', file('web.yaml', web))
  expect(await balsa('delete', 'deploy/web')).toEqual(printed('deployment.apps "web" deleted\n'))
})

test('logs names the pod that is not there', async () => {
  expect(await balsa('logs', 'nope')).toEqual(
    failed('Error from server (NotFound): pods "nope" not found'),
  )
})
