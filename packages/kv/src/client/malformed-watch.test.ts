import { expect, onTestFinished, test } from 'vitest'
import { listenClients } from '../api/client-listener.ts'
import { FakeMember } from '../api/testing/fake-member.ts'
import type { WatchSink, WatchStream } from '../member/types.ts'
import { connect } from './connect.ts'

/** Its watches answer with an event whose bytes end in the middle. */
class BrokenMember extends FakeMember {
  override openWatchStream(sink: WatchSink): WatchStream {
    return super.openWatchStream({
      send: (response) => {
        const room = sink.send(response)
        if (response.created) {
          sink.send({ ...response, created: false, events: [Uint8Array.of(0x12, 0x7f, 1)] })
        }
        return room
      },
    })
  }
}

test.each(['native', 'grpc'] as const)(
  'over %s a watch whose server sends what cannot be read ends with one error; calls go on',
  async (protocol) => {
    const listener = await listenClients({
      member: new BrokenMember(),
      urls: ['http://127.0.0.1:0'],
    })
    await using kv = await connect({ endpoints: listener.urls, protocol })
    onTestFinished(() => listener.close())
    const errors: unknown[] = []
    await new Promise<void>((resolve) => {
      const ended = (error: Error | undefined): void => {
        errors.push(error)
        resolve()
      }
      kv.watch({ key: 'a' }, { batch: () => undefined, ended })
    })
    await kv.put('a', '1')
    expect((await kv.get('a'))?.version).toBe(1)
    expect(errors).toMatchObject([
      { code: 'MALFORMED', message: expect.stringContaining('cannot be read') },
    ])
  },
)
