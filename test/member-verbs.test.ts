// `balsa kv member ...` and `move-leader` beside Debian's etcdctl on the same member: both must print the same, but for ids.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openMember, type Member } from '@balsa/kv'
import { run, runBalsa, type Finished } from './balsa-process.ts'
import { freePorts } from './free-ports.ts'
import { missing, tools } from './tools.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'balsa-verbs-'))
let member: Member
let url = ''

beforeAll(async () => {
  const peerUrl = `http://127.0.0.1:${(await freePorts(1))[0]}`
  member = await openMember({
    dataDir,
    listenClientUrls: ['http://127.0.0.1:0'],
    listenPeerUrls: [peerUrl],
  })
  url = member.clientUrls[0] ?? ''
})
afterAll(async () => {
  await member.close()
  rmSync(dataDir, { recursive: true, force: true })
})

const etcdctl = (...args: string[]): Promise<Finished> =>
  run(tools.etcdctl ?? 'etcdctl', [`--endpoints=${url}`, ...args])
const balsa = (...args: string[]): Promise<Finished> =>
  runBalsa(['kv', `--endpoints=${url}`, ...args])

/** The last line of what went wrong, without the name of the program. */
function failureOf({ stderr }: Finished): string {
  const last = stderr.trim().split('\n').at(-1) ?? ''
  return last.replace(/^(?:Error|balsa): /, '')
}

async function learnerId(): Promise<string> {
  const { stdout } = await etcdctl('member', 'list')
  return /^([0-9a-f]+), unstarted/m.exec(stdout)?.[1] ?? ''
}

describe.skipIf(missing('etcdctl'))('the verbs of members', () => {
  test('add, list in every format, update and remove print what etcdctl prints', async () => {
    const printed: string[][] = []
    for (const tool of [etcdctl, balsa]) {
      const outputs: string[] = []
      const note = ({ code, stdout, stderr }: Finished): void => {
        expect(stderr).toBe('')
        expect(code).toBe(0)
        outputs.push(stdout.replaceAll(id, 'ID').replaceAll(String(BigInt(`0x${id}`)), 'ID'))
      }
      let id = '0'
      const add = ['member', 'add', 'n', '--learner', '--peer-urls=http://127.0.0.1:1']
      let added = await tool(...add)
      id = await learnerId()
      // One of 16 digits, so that all columns are as wide as each other.
      while (id.length < 16) {
        await etcdctl('member', 'remove', id)
        added = await tool(...add)
        id = await learnerId()
      }
      note(added)
      for (const format of ['simple', 'json', 'table', 'fields']) {
        note(await tool('member', 'list', '-w', format))
      }
      note(await tool('member', 'update', id, '--peer-urls=http://127.0.0.1:2'))
      note(await tool('member', 'list'))
      note(await tool('member', 'remove', id))
      printed.push(outputs)
    }
    // The new member's place in the list follows from its id: what is listed is compared, not in which order.
    const parts = (text: string): string[] =>
      text
        .replaceAll(/["[\]{}]/g, '')
        .replace('CLUSTER=', 'CLUSTER=,')
        .replace('members:', 'members,')
        .split(/[\n,]/)
        .sort()
    const sorted = printed.map((outputs) => outputs.map(parts))
    expect(sorted[1]).toEqual(sorted[0])
  })

  test('what is refused is refused with the same words', async () => {
    const wrong = [
      ['member', 'remove', 'abc'],
      ['member', 'promote', 'abc'],
      ['member', 'remove', member.id.toString(16)],
      ['member', 'promote', member.id.toString(16)],
      ['move-leader', 'abc'],
    ]
    for (const args of wrong) {
      const [theirs, ours] = [await etcdctl(...args), await balsa(...args)]
      expect(theirs.code, args.join(' ')).not.toBe(0)
      expect(ours.code).not.toBe(0)
      expect(failureOf(ours)).toBe(failureOf(theirs))
    }
    const id = member.id.toString(16)
    const moved = await balsa('move-leader', id)
    expect(moved.stdout).toBe((await etcdctl('move-leader', id)).stdout)
  })
})
