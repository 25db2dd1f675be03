// `balsa join` from the outside: an agent in a process of its own, real kubectl, kill -9 on either side. The tests build on each other.
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BalsaProcess, run, runBalsa, stopBalsaProcesses, waitFor } from './balsa-process.ts'
import { freePorts } from './free-ports.ts'
import { missing, tools } from './tools.ts'

const nodeName = 'far'
const serverPort = 8080
let folder: string
let upFlags: string[]
let apiUrl: string
let nodeDir: string
let up: BalsaProcess
let agent: BalsaProcess
let joinFlags: string[]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'balsa-join-'))
  nodeDir = join(folder, 'node')
  const [client, peer, api] = await freePorts(3)
  apiUrl = `https://127.0.0.1:${api}`
  upFlags = ['up', '--data-dir', join(folder, 'data'), '--agents', '0', '--api-url', apiUrl]
  upFlags.push('--client-url', `http://127.0.0.1:${client}`)
  upFlags.push('--peer-url', `http://127.0.0.1:${peer}`)
  up = new BalsaProcess(upFlags)
  await up.ready()
})

afterAll(async () => {
  if (tools.kubectl !== undefined)
    await kubectl('delete', 'pods', '--all', '--grace-period=1', '--timeout=20s')
  await stopBalsaProcesses()
  await rm(folder, { recursive: true, force: true })
})

const kubectl = (...argv: string[]): ReturnType<typeof run> => {
  const files = ['--kubeconfig', join(folder, 'data', 'kubeconfig')]
  return run(tools.kubectl ?? 'kubectl', [...files, '--cache-dir', join(folder, 'cache'), ...argv])
}
const kubectlOutput = async (...argv: string[]): Promise<string> => {
  const { code, stdout, stderr } = await kubectl(...argv)
  expect({ argv, code, stderr }).toMatchObject({ code: 0 })
  return stdout
}

const startAgent = async (...flags: string[]): Promise<void> => {
  agent = new BalsaProcess(['join', '--data-dir', nodeDir, ...flags])
  await agent.ready('balsa has joined')
}

const webPod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web' },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [
      {
        name: 'main',
        image: 'node',
        command: [
          'node',
          '-e',
          `const { POD_IP, KUBERNETES_SERVICE_PORT } = process.env
           const answer = (_request, response) => response.end('api at ' + KUBERNETES_SERVICE_PORT)
           require('http').createServer(answer).listen(${serverPort}, POD_IP, () => console.log('listening'))`,
        ],
      },
    ],
  },
}
const answerOf = (pod: string): Promise<string> =>
  kubectlOutput('get', '--raw', `/api/v1/namespaces/default/pods/${pod}:${serverPort}/proxy/`)

describe.skipIf(missing('kubectl'))('balsa join', () => {
  test('the token command prints a command that joins, and its parts are checked one by one', async () => {
    const made = await runBalsa(
      ['token', 'create', '--print-join-command', '--kubeconfig', join(folder, 'data/kubeconfig')],
      {},
    )
    const [name, verb, ...rest] = made.stdout.trim().split(' ')
    expect([name, verb, rest[0]]).toEqual(['balsa', 'join', apiUrl])
    joinFlags = rest
    const [, , token = '', , hash = ''] = rest
    expect(hash).toMatch(/^sha256:[0-9a-f]{64}$/)
    const tryJoin = (index: number, flags: readonly string[]): ReturnType<typeof runBalsa> =>
      runBalsa(['join', ...flags, '--data-dir', join(folder, `refused-${index}`)])
    const wrongHash = `sha256:${'0'.repeat(64)}`
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [[apiUrl, '--token', token, '--ca-cert-hash', wrongHash], /--ca-cert-hash: .* is another/],
      [[apiUrl, '--token', 'abcdef.0123456789abcdef', '--ca-cert-hash', hash], /--token: .*know/],
      [[apiUrl, '--token', token], /--ca-cert-hash or --ca-cert must say whom to trust/],
      [[], /say which cluster: balsa join https:/],
      [['http://127.0.0.1:1'], /write it like https:/],
      [[apiUrl, '--token', 'short'], /write it like abcdef/],
    ]
    const tried = cases.map(async ([flags, message], index) => ({
      message,
      ...(await tryJoin(index, flags)),
    }))
    for (const { message, code, stderr } of await Promise.all(tried)) {
      expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringMatching(message) })
      expect(stderr.trim().split('\n'), stderr).toHaveLength(1)
    }
  })

  test('a machine joins with a token and is a node with a certificate of its own', async () => {
    await startAgent(...joinFlags, '--node-name', nodeName)
    expect(await kubectlOutput('get', 'nodes')).toMatch(/^far +Ready /m)
    expect(await kubectlOutput('get', 'csr')).toMatch(/system:bootstrap:\w+ +Approved,Issued/)
    expect((await stat(join(nodeDir, 'node.pem'))).mode & 0o777).toBe(0o600)
    const otherDir = join(folder, 'other')
    const otherFlags = [...joinFlags, '--node-name', nodeName, '--data-dir', otherDir]
    const taken = await runBalsa(['join', ...otherFlags])
    expect(taken.stderr).toContain('a node far is Ready in this cluster already')
    const busy = await runBalsa(['join', '--data-dir', nodeDir])
    expect(busy.stderr).toContain(`is in use by process ${agent.child.pid}`)
  })

  test('kubectl reaches the pods of a node that joined', async () => {
    await writeFile(join(folder, 'web.json'), JSON.stringify(webPod))
    await kubectlOutput('apply', '-f', join(folder, 'web.json'))
    await kubectlOutput('wait', '--for=condition=Ready', 'pod/web', '--timeout=30s')
    await waitFor('the server', async () => (await kubectl('logs', 'web')).stdout === 'listening\n')
    const failed = await kubectl('exec', 'web', '--', 'sh', '-c', 'echo out; echo err >&2; exit 3')
    expect(failed).toMatchObject({ stdout: 'out\n', stderr: expect.stringContaining('err\n') })
    expect(failed.code).toBe(3)
    expect(await answerOf('web')).toBe(`api at ${new URL(apiUrl).port}`)
    const original = join(folder, 'original')
    await writeFile(original, 'x'.repeat(2_000_000))
    await kubectlOutput('cp', original, `web:${join(folder, 'copy')}`)
    expect((await readFile(join(folder, 'copy'))).equals(await readFile(original))).toBe(true)
    expect(await kubectlOutput('top', 'pod', 'web')).toMatch(/^web +\d+m +\d+Mi/m)
    expect(await kubectlOutput('top', 'node', nodeName)).toMatch(/^far +\d+m/m)
  })

  test('an agent that was killed comes back without a token and finds its pods running', async () => {
    const before = await kubectlOutput('get', 'pod', 'web', '-o', 'jsonpath={.status}')
    await agent.stop('SIGKILL')
    await waitFor('the tunnel to be gone', async () => {
      const { stderr } = await kubectl('exec', 'web', '--', 'true')
      return stderr.includes('no agent of node far is connected')
    })
    await startAgent()
    expect(await answerOf('web')).toContain('api at')
    expect(await kubectlOutput('exec', 'web', '--', 'echo', 'adopted')).toBe('adopted\n')
    expect(await kubectlOutput('get', 'pod', 'web', '-o', 'jsonpath={.status}')).toBe(before)
  })

  test('an apiserver that was killed comes back, and the node follows it', async () => {
    await up.stop('SIGKILL')
    up = new BalsaProcess(upFlags)
    await up.ready()
    await waitFor('the tunnel', async () => (await kubectl('exec', 'web', '--', 'true')).code === 0)
    expect(await answerOf('web')).toContain('api at')
    await kubectlOutput('run', 'second', '--image=sleep', '--command', '--', 'sleep', '1000')
    await kubectlOutput('wait', '--for=condition=Ready', 'pod/second', '--timeout=30s')
  })

  test('a node that joined is drained', async () => {
    const flags = ['--force', '--grace-period=1', '--timeout=30s']
    expect(await kubectlOutput('drain', nodeName, ...flags)).toContain('node/far drained')
    expect(await kubectlOutput('get', 'pods', '-o', 'name')).toBe('')
  })
})
