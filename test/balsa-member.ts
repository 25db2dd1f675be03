// A Balsa member in this process with its client port open, for tests with other programs' clients.
import { listenClients } from '../packages/kv/src/api/client-listener.ts'
import { openTestMember } from '../packages/kv/src/member/testing/test-member.ts'

export interface BalsaMember extends AsyncDisposable {
  readonly url: string
}

export async function openBalsaMember(): Promise<BalsaMember> {
  const { core } = await openTestMember()
  const listener = await listenClients({ member: core, urls: ['http://127.0.0.1:0'] })
  return {
    url: listener.urls[0] ?? '',
    [Symbol.asyncDispose]: async () => {
      await listener.close()
      await core.close()
    },
  }
}
