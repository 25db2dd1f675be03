// The client port in front of a fake member, on a free port.
import { listenClients } from '../client-listener.ts'
import type { ClientListener } from '../client-listener.ts'
import { FakeMember } from './fake-member.ts'

export interface FakeListener extends AsyncDisposable {
  readonly member: FakeMember
  readonly url: string
  readonly listener: ClientListener
}

export async function openFakeListener(): Promise<FakeListener> {
  const member = new FakeMember()
  const listener = await listenClients({
    member,
    urls: ['http://127.0.0.1:0'],
    // Tests that close while calls wait must not be cut short by a busy machine.
    closeGraceMs: 30_000,
  })
  return {
    member,
    listener,
    url: listener.urls[0] ?? '',
    [Symbol.asyncDispose]: () => listener.close(),
  }
}
