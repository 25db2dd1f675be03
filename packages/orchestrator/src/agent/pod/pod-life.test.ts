// What users see of pods while they live and when they end.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { AgentFixture, sh, until } from '../testing/agent-fixture.ts'

const agent = new AgentFixture()
beforeAll(() => agent.start())
afterAll(() => agent.close())

const limits = { memory: '128Mi' }
const grow = 'const kept = []; setInterval(() => kept.push(Buffer.alloc(8e6, 1)), 20)'

test.skipIf(process.platform !== 'linux')(
  'a container that uses more memory than its limit is ended as OOMKilled, one below it is not',
  async () => {
    const command = [process.execPath, '-e', grow]
    await agent.create('modest', [sh('exec sleep 60', { resources: { limits } })])
    await agent.create('greedy', [sh('', { command, resources: { limits } })], {
      restartPolicy: 'Never',
    })
    await until(() =>
      expect(agent.status('greedy')?.state.terminated).toMatchObject({
        exitCode: 137,
        reason: 'OOMKilled',
      }),
    )
    expect(agent.pod('greedy')?.status.phase).toBe('Failed')
    expect(agent.status('modest')).toMatchObject({ restartCount: 0, ready: true })
  },
)
