// `balsa kv backup` of a real etcd, as users run it: back to any revision, in Balsa.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openMember } from '@balsa/kv'
import { connect } from '@balsa/kv/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BalsaProcess, runBalsa, stopBalsaProcesses, waitFor } from './balsa-process.ts'
import { startEtcd } from './etcd-process.ts'
import { pairsOf } from './store-contents.ts'
import { missing } from './tools.ts'

describe.skipIf(missing('etcd'))('an incremental backup of etcd', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'balsa-backup-'))
  })
  afterAll(async () => {
    await stopBalsaProcesses()
    rmSync(folder, { recursive: true, force: true })
  })

  test('is taken while it is written to, goes on after a stop, and restores any revision', async () => {
    await using etcd = await startEtcd()
    await using kv = await connect({ endpoints: etcd.url, protocol: 'grpc' })
    for (let i = 0; i < 200; i++) await kv.put(`key ${i % 30}`, `${i}`)
    const backup = join(folder, 'backup')
    const args = ['kv', '--endpoints', etcd.url, 'backup', 'run', backup]
    const running = new BalsaProcess(args)
    await waitFor('the base', async () => {
      const { code } = await runBalsa(['kv', 'backup', 'status', backup])
      return code === 0
    })
    for (let i = 0; i < 100; i++) await kv.put(`key ${i % 40}`, `second ${i}`)
    await kv.delete('key 1', { prefix: true })
    const { revision } = await kv.status()
    await waitFor('the changes', async () => {
      const { stdout } = await runBalsa(['kv', 'backup', 'status', backup, '-w', 'json'])
      return (JSON.parse(stdout) as { revision: number }).revision === revision
    })
    await running.stop()
    for (let i = 0; i < 50; i++) await kv.put(`later ${i}`, `${i}`)
    const { revision: last } = await kv.status()
    const once = await runBalsa([...args, '--once'])
    expect([once.code, once.stdout]).toEqual([0, `Backup in ${backup} is at revision ${last}\n`])

    for (const at of [50, revision - 1, revision, last]) {
      const dataDir = join(folder, `at ${at}`)
      const flags = ['--to-revision', `${at}`, '--data-dir', dataDir]
      const restored = await runBalsa(['kv', 'backup', 'restore', backup, ...flags])
      expect([restored.code, restored.stdout]).toEqual([0, `Restored revision ${at}\n`])
      await using member = await openMember({ dataDir })
      const { hash } = await kv.hashKv({ revision: at })
      expect(await member.kv.hashKv()).toMatchObject({ hash, revision: at })
      const past = { prefix: '', revision: at }
      expect(await pairsOf(member.kv)).toEqual(await pairsOf(kv, past))
    }
  })
})
