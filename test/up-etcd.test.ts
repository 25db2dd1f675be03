// `balsa up --etcd-servers` on real etcd: pods run, scale, log and are found again after a restart; etcdctl sees where Kubernetes has them.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { BalsaProcess, run, runBalsa, stopBalsaProcesses, waitFor } from './balsa-process.ts'
import { startEtcd } from './etcd-process.ts'
import { freePorts } from './free-ports.ts'
import { missing, repositoryRoot, tools } from './tools.ts'

describe.skipIf(missing('etcd', 'etcdctl'))('balsa up --etcd-servers', () => {
  test('deploys, scales and logs on real etcd, and finds everything again after a restart', async () => {
    await using etcd = await startEtcd()
    const folder = await mkdtemp(join(tmpdir(), 'balsa-up-etcd-'))
    const [port] = await freePorts(1)
    const kubeconfig = ['--kubeconfig', join(folder, 'kubeconfig')]
    const up = (...more: string[]): BalsaProcess => {
      const flags = ['--api-url', `https://127.0.0.1:${port}`, '--etcd-servers', etcd.url]
      return new BalsaProcess(['up', '--data-dir', folder, ...flags, ...more])
    }
    const balsa = async (...words: string[]): Promise<string> => {
      const { code, stdout, stderr } = await runBalsa([...words, ...kubeconfig])
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      return stdout
    }
    const running = (count: number): Promise<string[]> =>
      waitFor(`${count} pods of hello`, async () => {
        const rows = await balsa('get', 'pods', '-l', 'app=hello', '--no-headers')
        const lines = rows.split('\n').filter((line) => / 1\/1 +Running /.test(line))
        return lines.length === count && lines.map((line) => line.split(' ')[0] ?? '').toSorted()
      })
    try {
      const first = up()
      await first.ready()
      await balsa('apply', '-f', join(repositoryRoot, 'examples/hello.yaml'))
      await running(3)
      expect(await balsa('scale', 'deployment/hello', '--replicas=2')).toBe(
        'deployment.apps/hello scaled\n',
      )
      const pods = await running(2)
      expect(await balsa('logs', pods[0] ?? '')).toContain('8080')
      const keys = await run(
        tools.etcdctl ?? '',
        ['--endpoints', etcd.url, 'get', '--prefix', '/registry/pods/default/', '--keys-only'],
        { env: { ETCDCTL_API: '3' } },
      )
      expect(keys.stdout.split('\n').filter((line) => line !== '')).toEqual(
        pods.map((pod) => `/registry/pods/default/${pod}`),
      )
      const saved = join(folder, 'saved')
      const backup = await runBalsa(['backup', saved, '--endpoints', etcd.url])
      expect(backup).toMatchObject({ code: 0 })
      expect(await readdir(saved)).not.toEqual([])
      await first.stop()
      const second = up('--stop-pods')
      await second.ready()
      expect(await running(2)).toEqual(pods)
      await balsa('scale', 'deployment/hello', '--replicas=1')
      await running(1)
      await second.stop()
      expect(second.stderr).toBe('')
    } finally {
      await stopBalsaProcesses()
      await rm(folder, { recursive: true, force: true })
    }
  }, 120_000)
})
