// A Balsa member of one in this process, on a real disk and with its client port open, for tests with other programs' clients.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openMember } from '@balsa/kv'

export interface BalsaMember extends AsyncDisposable {
  readonly url: string
}

export async function openBalsaMember(): Promise<BalsaMember> {
  const dataDir = mkdtempSync(join(tmpdir(), 'balsa-member-'))
  const member = await openMember({ dataDir, listenClientUrls: ['http://127.0.0.1:0'] })
  return {
    url: member.clientUrls[0] ?? '',
    [Symbol.asyncDispose]: async () => {
      await member.close()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}
