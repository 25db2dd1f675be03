// A UDP port of a Service, whose endpoints are whatever somebody wrote into a slice.
import { createSocket } from 'node:dgram'
import { afterEach, expect, test } from 'vitest'
import { UdpPort } from './udp-port.ts'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

const bound = async (): Promise<ReturnType<typeof createSocket>> => {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  closers.push(() => socket.close())
  return socket
}
/** A port that nobody has. */
const freePort = async (): Promise<number> => {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  const { port } = socket.address()
  await new Promise<void>((resolve) => socket.close(resolve))
  return port
}

test.each([
  ['::1', 9],
  ['255.255.255.255', 9],
  ['240.0.0.1', 9],
  ['127.0.0.1', 70_000],
])(
  'an endpoint at %s port %i, which cannot be reached, costs its datagrams alone',
  async (address, number) => {
    const echo = await bound()
    echo.on('message', (bytes, { port, address: from }) => echo.send(bytes, port, from))
    const place = { protocol: 'UDP', address: '127.0.0.1', port: await freePort() } as const
    const none = { nodeName: '', pod: undefined }
    const errors: Error[] = []
    const port = new UdpPort(
      { ...place, endpoints: [{ address, port: number, ...none }], affinityMs: undefined },
      (error) => errors.push(error),
    )
    closers.push(() => port.close())
    const client = await bound()
    const answers: string[] = []
    let lookups = 0
    client.on('message', (bytes) => answers.push(String(bytes)))
    const send = (text: string): void => client.send(text, place.port, place.address)
    const set = (to: string, on: number): void =>
      port.set({
        ...place,
        endpoints: [{ address: to, port: on, ...none }],
        affinityMs: undefined,
      })
    const isThere = async (text: string): Promise<void> => {
      set('127.0.0.1', echo.address().port)
      await expect
        .poll(() => {
          send(text)
          return answers
        })
        .toContain(text)
    }
    await isThere('before')
    set(address, number)
    for (let count = 0; count < 40; count++) send('lost')
    // Until the first of them was passed on, which is where it goes wrong.
    await expect.poll(() => lookups++).toBeGreaterThan(3)
    await isThere('after')
    expect(errors).toEqual([])
  },
)
