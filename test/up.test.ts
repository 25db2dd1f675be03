// `balsa up` from the outside: real etcdctl, real kubectl, real HTTP requests, real kill -9. The tests of the first block build on each other.
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BalsaProcess, run, runBalsa, stopBalsaProcesses, waitFor } from './balsa-process.ts'
import { freePorts } from './free-ports.ts'
import { missing, repositoryRoot, tools } from './tools.ts'

let folder: string
let upFlags: string[]
let clientUrl: string
let balsa: BalsaProcess

/** `balsa up` on these three ports. */
const flagsOf = (
  dataDir: string,
  ports: readonly (number | undefined)[],
  ...more: string[]
): string[] => {
  const [client, peer, api] = ports
  const urls = [
    '--client-url',
    `http://127.0.0.1:${client}`,
    '--peer-url',
    `http://127.0.0.1:${peer}`,
  ]
  return ['up', '--data-dir', dataDir, ...urls, '--api-url', `https://127.0.0.1:${api}`, ...more]
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'balsa-up-'))
  const [client, peer, api] = await freePorts(3)
  clientUrl = `http://127.0.0.1:${client}`
  upFlags = flagsOf(join(folder, 'data'), [client, peer, api]).slice(1)
})

afterAll(async () => {
  await kubectl('delete', 'deployments,pods', '--all', '--grace-period=1', '--timeout=20s')
  await stopBalsaProcesses()
  await rm(folder, { recursive: true, force: true })
})

const kubectlFlags = (): string[] => {
  const kubeconfig = join(folder, 'data', 'kubeconfig')
  return ['--kubeconfig', kubeconfig, '--cache-dir', join(folder, 'cache')]
}
const kubectl = (...argv: string[]): ReturnType<typeof run> =>
  run(tools.kubectl ?? 'kubectl', [...kubectlFlags(), ...argv])
const etcdctl = (...argv: string[]): ReturnType<typeof run> =>
  run(tools.etcdctl ?? 'etcdctl', ['--endpoints', clientUrl, ...argv], {
    env: { ETCDCTL_API: '3' },
  })

interface PodRow {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string }
  readonly spec: { readonly nodeName: string }
  readonly status: {
    readonly phase: string
    readonly podIP: string
    readonly containerStatuses?: readonly {
      readonly ready: boolean
      readonly restartCount: number
    }[]
  }
}
const pods = async (): Promise<PodRow[]> => {
  const { stdout } = await kubectl('get', 'pods', '-l', 'app=hello', '-o', 'json')
  const list: { items: PodRow[] } = JSON.parse(stdout)
  return list.items.filter((pod) => pod.metadata.deletionTimestamp === undefined)
}
const readyPods = async (count: number): Promise<PodRow[]> =>
  waitFor(`${count} ready pods`, async () => {
    const all = await pods()
    const ready = all.filter((pod) => pod.status.containerStatuses?.every((each) => each.ready))
    return all.length === count && ready.length === count && ready
  })
/** The port on which the example listens. */
const examplePort = 8080
const answer = async (pod: PodRow): Promise<string> => {
  const response = await fetch(`http://${pod.status.podIP}:${examplePort}/`)
  expect(response.status).toBe(200)
  return response.text()
}
/** The processes that carry this pod's address in their environment. */
const processesOf = async (pod: PodRow): Promise<number[]> => {
  const found: number[] = []
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const environment = await readFile(`/proc/${name}/environ`, 'latin1').catch(() => '')
    if (environment.includes(`BALSA_POD_IP=${pod.status.podIP}\0`)) found.push(Number(name))
  }
  return found
}

describe.skipIf(missing('etcdctl', 'kubectl'))('balsa up, used with etcdctl and kubectl', () => {
  test('it starts, prints where things are, and keeps its kubeconfig to itself', async () => {
    balsa = new BalsaProcess(['up', ...upFlags])
    await balsa.ready()
    expect(balsa.stdout).toContain(clientUrl)
    expect((await stat(join(folder, 'data', 'kubeconfig'))).mode & 0o777).toBe(0o600)
    expect((await stat(join(folder, 'data'))).mode & 0o777).toBe(0o700)
  })

  test('etcdctl puts and gets', async () => {
    expect(await etcdctl('put', 'hello', 'world')).toMatchObject({ code: 0, stdout: 'OK\n' })
    expect(await etcdctl('get', 'hello')).toMatchObject({ code: 0, stdout: 'hello\nworld\n' })
    expect((await etcdctl('endpoint', 'health')).stderr).toContain('is healthy')
  })

  test('kubectl sees one ready node', async () => {
    const { stdout } = await waitFor('a ready node', async () => {
      const result = await kubectl('get', 'nodes')
      return / Ready /.test(result.stdout) && result
    })
    expect(stdout.trim().split('\n')).toHaveLength(2)
  })

  test('the example is applied, runs three pods, and each answers HTTP on an address of its own', async () => {
    const applied = await kubectl('apply', '-f', join(repositoryRoot, 'examples', 'hello.yaml'))
    expect(applied).toMatchObject({ code: 0 })
    expect(applied.stdout).toContain('deployment.apps/hello created')
    expect(await kubectl('rollout', 'status', 'deployment/hello', '--timeout=30s')).toMatchObject({
      code: 0,
    })
    const ready = await readyPods(3)
    const answers = await Promise.all(ready.map(answer))
    expect(new Set(answers).size).toBe(3)
    const wide = await kubectl('get', 'pods', '-o', 'wide')
    expect(wide.stdout).toMatch(/NAME\s+READY\s+STATUS\s+RESTARTS\s+AGE\s+IP\s+NODE/)
    expect(wide.stdout.match(/1\/1\s+Running/g)).toHaveLength(3)
  })

  test('kubectl logs prints what the pod wrote', async () => {
    const [pod] = await readyPods(3)
    const { code, stdout } = await kubectl('logs', pod!.metadata.name)
    expect(code).toBe(0)
    expect(stdout.length).toBeGreaterThan(0)
  })

  test('kubectl scale changes the number of pods and get -w shows it', async () => {
    const watching = run('timeout', [
      '6',
      tools.kubectl ?? 'kubectl',
      ...kubectlFlags(),
      'get',
      'pods',
      '-w',
    ])
    expect(await kubectl('scale', 'deployment/hello', '--replicas=4')).toMatchObject({ code: 0 })
    await readyPods(4)
    expect(await kubectl('scale', 'deployment/hello', '--replicas=2')).toMatchObject({ code: 0 })
    await readyPods(2)
    expect((await watching).stdout).toMatch(/Terminating|Completed/)
  })

  test('a pod whose process is killed with -9 is restarted and RESTARTS counts it', async () => {
    const [pod] = await readyPods(2)
    for (const pid of await processesOf(pod!)) process.kill(pid, 'SIGKILL')
    await waitFor('the restart', async () => {
      const now = (await pods()).find((each) => each.metadata.name === pod!.metadata.name)
      const status = now?.status.containerStatuses?.[0]
      return status?.restartCount === 1 && status.ready
    })
    const { stdout } = await kubectl('get', 'pod', pod!.metadata.name)
    expect(stdout).toMatch(/1\/1\s+Running\s+1/)
    expect(await answer(pod!)).toContain(pod!.metadata.name)
  })

  test('killed with -9 and started again it has all data and its pods run', async () => {
    const before = (await pods()).map((pod) => pod.metadata.name).sort()
    expect(await etcdctl('put', 'last', 'word')).toMatchObject({ code: 0 })
    await balsa.stop('SIGKILL')
    balsa = new BalsaProcess(['up', ...upFlags])
    await balsa.ready()
    expect(await etcdctl('get', 'last')).toMatchObject({ code: 0, stdout: 'last\nword\n' })
    const after = await readyPods(2)
    expect(after.map((pod) => pod.metadata.name).sort()).toEqual(before)
    for (const pod of after) expect(await answer(pod)).toContain(pod.metadata.name)
  })

  test('deleting the deployment ends its pods and their processes', async () => {
    const running = await readyPods(2)
    expect(await kubectl('delete', 'deployment', 'hello')).toMatchObject({ code: 0 })
    await waitFor('no pods', async () => (await pods()).length === 0)
    await waitFor('no processes', async () => {
      const left = await Promise.all(running.map(processesOf))
      return left.flat().length === 0
    })
  })

  test('SIGTERM stops it with exit code 0', async () => {
    expect(await balsa.stop()).toBe(0)
  })
})

describe('balsa up answers a mistake with one line that names the flag and the cure', () => {
  const mistake = async (...argv: string[]): Promise<string> => {
    const { code, stderr } = await runBalsa(['up', ...argv])
    expect(code).toBe(1)
    expect(stderr.trim().split('\n').length, stderr).toBeLessThanOrEqual(2)
    return stderr
  }

  test('an unknown flag', async () => {
    expect(await mistake('--memers', '3')).toContain(`unknown option '--memers'`)
  })

  test('a wrong value', async () => {
    expect(await mistake('--members', '2')).toContain('--members')
    expect(await mistake('--client-url', 'nonsense')).toContain('http://127.0.0.1:PORT')
  })

  test('a data dir that cannot be written', async () => {
    const file = join(folder, 'file')
    await writeFile(file, '')
    expect(await mistake('--data-dir', join(file, 'data'))).toContain('--data-dir')
  })

  test.each(['--client-url', '--peer-url', '--api-url'])('a busy port of %s', async (flag) => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const [client, peer, api] = await freePorts(3)
    const urls: Record<string, string> = {
      '--client-url': `http://127.0.0.1:${client}`,
      '--peer-url': `http://127.0.0.1:${peer}`,
      '--api-url': `https://127.0.0.1:${api}`,
    }
    urls[flag] = `${flag === '--api-url' ? 'https' : 'http'}://127.0.0.1:${port}`
    const dataDir = join(folder, `busy${flag}`)
    const text = await mistake('--data-dir', dataDir, ...Object.entries(urls).flat())
    expect(text).toContain(flag)
    expect(text).toContain(String(port))
    expect(text).toMatch(/in use|busy/)
    await new Promise((resolve) => server.close(resolve))
  })

  test('a data dir that is in use', async () => {
    const dataDir = join(folder, 'in-use')
    const ports = await freePorts(6)
    const first = new BalsaProcess(flagsOf(dataDir, ports, '--agents', '0'))
    await first.ready()
    const { code, stderr } = await runBalsa(flagsOf(dataDir, ports.slice(3), '--agents', '0'))
    expect(code).toBe(1)
    expect(stderr).toContain('in use')
    await first.stop()
  })

  test('a data dir that was made for another number of members', async () => {
    const flags = flagsOf(join(folder, 'other'), await freePorts(3), '--agents', '0')
    const first = new BalsaProcess(flags)
    await first.ready()
    await first.stop()
    const text = await mistake(...flags.slice(1), '--members', '3')
    expect(text).toContain('holds a cluster of 1 members, and --members asks for 3')
  })
})

test('one member may move to other ports', async () => {
  const dataDir = join(folder, 'moved')
  const ports = await freePorts(6)
  for (const three of [ports.slice(0, 3), ports.slice(3)]) {
    const up = new BalsaProcess(flagsOf(dataDir, three, '--agents', '0'))
    await up.ready()
    expect(await up.stop()).toBe(0)
  }
})

test('npm links the command, also where it was not yet built when npm made its links', async () => {
  const linked = join(repositoryRoot, 'node_modules', '.bin', 'balsa')
  expect(await run(linked, ['--version'])).toEqual({ code: 0, stdout: '0.1.0\n', stderr: '' })
})
