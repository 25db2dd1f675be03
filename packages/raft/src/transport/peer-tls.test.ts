// Members behind mutual TLS: who has a certificate of the cluster's authority gets through, everybody else is refused with a sentence that
// names the reason.
import { connect as connectPlain } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { NodeId } from '../core/types.ts'
import { propose, TestMembers, waitFor } from '../node/testing/test-members.ts'
import { createPeerServer, type PeerTls } from './peer-tls.ts'
import { TestAuthority, type TestCertificate } from './testing/test-authority.ts'
import { a, append, b, closeTransports, heartbeat, start } from './testing/transports.ts'
import { createWsTransport, type WsTransport } from './ws-transport.ts'

let authority: TestAuthority
let stranger: TestAuthority
let certificates: Record<'a' | 'b', TestCertificate>
beforeAll(async () => {
  authority = await TestAuthority.create()
  stranger = await TestAuthority.create('another authority')
  certificates = {
    a: await authority.sign({ commonName: 'a', names: ['a.test'] }),
    b: await authority.sign({ commonName: 'b', names: ['b.test'] }),
  }
})
afterEach(closeTransports)

const tlsOf = (id: 'a' | 'b', extra: Partial<PeerTls> = {}): PeerTls => ({
  ...certificates[id],
  ca: authority.ca,
  ...extra,
})

const httpsUrl = (url: string): string => url.replace('http:', 'https:')

/** Member a, with what it has, connects to member b. */
async function meet({
  from,
  to = tlsOf('b'),
  scheme = 'https',
}: {
  readonly from: PeerTls | undefined
  readonly to?: PeerTls | 'plain'
  readonly scheme?: 'https' | 'http'
}): Promise<Record<'sender' | 'receiver', Awaited<ReturnType<typeof start>>>> {
  const receiver = await start(b, to === 'plain' ? {} : { tls: to })
  const sender = await start(a, from === undefined ? {} : { tls: from })
  const url = scheme === 'https' ? httpsUrl(receiver.url) : receiver.url
  sender.transport.setPeers(new Map([[b, url]]))
  return { sender, receiver }
}

test('members with certificates of one authority exchange messages on both lanes and snapshots', async () => {
  const { sender, receiver } = await meet({ from: tlsOf('a') })
  const meta = { index: 1, term: 1, membership: { voters: [a], votersOutgoing: [], learners: [] } }
  await waitFor(() => {
    sender.transport.send([heartbeat(1), append(1, 100_000)])
    return new Set(receiver.recorder.messages.map(({ type }) => type)).size === 2
  })
  let size = 0
  receiver.recorder.snapshot = async (_from, stream) => {
    for await (const chunk of stream.chunks({ offset: 0, checksum: 0 })) size += chunk.length
  }
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(Buffer.alloc(5_000_000))
  }
  await sender.transport.sendSnapshot(b, { meta, id: undefined, chunks })
  expect(size).toBe(5_000_000)
  expect([sender.recorder.refusals, receiver.recorder.refusals]).toEqual([[], []])
})

describe('a member is refused, and both ends say why', () => {
  test('with a certificate of another authority', async () => {
    const own = await stranger.sign({ commonName: 'a' })
    const { sender, receiver } = await meet({ from: tlsOf('a', own) })
    await waitFor(() => sender.recorder.refusals.length > 0)
    expect(receiver.recorder.refusals[0]).toMatchObject({ code: 'UNTRUSTED' })
    expect(receiver.recorder.refusals[0]?.message).toMatch(
      /^The certificate of 'a' at 127.0.0.1 is refused: UNABLE_TO/,
    )
    expect(sender.recorder.refusals[0]?.message).toBe(receiver.recorder.refusals[0]?.message)
    expect(receiver.recorder.messages).toEqual([])
  })

  test('with a certificate that has expired', async () => {
    const own = await authority.sign({ commonName: 'a', isExpired: true })
    const { sender, receiver } = await meet({ from: tlsOf('a', own) })
    await waitFor(() => sender.recorder.refusals.length > 0)
    const text = "The certificate of 'a' at 127.0.0.1 is refused: CERT_HAS_EXPIRED"
    expect(receiver.recorder.refusals.map(({ message }) => message)).toEqual([text])
    expect(sender.recorder.refusals.map(({ message }) => message)).toEqual([text])
  })

  test('with a certificate that names another member', async () => {
    const to = tlsOf('b', { namesOf: (id) => [`${id}.test`] })
    const { sender, receiver } = await meet({ from: tlsOf('a', certificates.b), to })
    await waitFor(() => sender.recorder.refusals.length > 0)
    expect(receiver.recorder.refusals[0]?.message).toBe(
      'The certificate of member a names b, 127.0.0.1, localhost, b.test, wanted a.test',
    )
    expect(sender.recorder.refusals[0]?.message).toBe(receiver.recorder.refusals[0]?.message)
  })

  test('without TLS where the other end wants it', async () => {
    const { receiver } = await meet({ from: undefined, scheme: 'http' })
    await waitFor(() => receiver.recorder.refusals.length > 0)
    expect(receiver.recorder.refusals[0]).toMatchObject({
      code: 'UNTRUSTED',
      message: 'A peer at 127.0.0.1 speaks plain HTTP, this member speaks TLS',
    })
  })

  test('with TLS where the other end has none', async () => {
    const { sender, receiver } = await meet({ from: tlsOf('a'), to: 'plain' })
    await waitFor(() => sender.recorder.refusals.length > 0)
    expect(sender.recorder.refusals[0]?.message).toBe('Member b does not speak TLS at its address')
    expect(receiver.recorder.refusals[0]?.message).toBe(
      'A peer speaks TLS, this member has no certificate',
    )
  })
})

describe('a member refuses to connect', () => {
  test.each([
    ['has expired', 'authority', true, /certificate has expired/],
    ['is of another authority', 'stranger', false, /unable to verify|self-signed|issuer/],
  ] as const)('to one whose certificate %s', async (_name, by, isExpired, reason) => {
    const signer = by === 'authority' ? authority : stranger
    const own = await signer.sign({ commonName: 'b', isExpired })
    const { sender } = await meet({ from: tlsOf('a'), to: tlsOf('b', own) })
    await waitFor(() => sender.recorder.refusals.length > 0)
    expect(sender.recorder.refusals[0]).toMatchObject({ code: 'UNTRUSTED' })
    expect(sender.recorder.refusals[0]?.message).toMatch(/^The certificate of member b is refused/)
    expect(sender.recorder.refusals[0]?.message).toMatch(reason)
  })

  test('to one whose certificate names another member', async () => {
    const from = tlsOf('a', { namesOf: (id) => [`${id}.test`] })
    const { sender } = await meet({ from, to: tlsOf('b', certificates.a) })
    await waitFor(() => sender.recorder.refusals.length > 0)
    expect(sender.recorder.refusals[0]?.message).toContain('wanted b.test')
  })

  test('to an address without https', async () => {
    const { sender } = await meet({ from: tlsOf('a'), scheme: 'http' })
    expect(sender.recorder.refusals[0]?.message).toMatch(/members of this cluster speak TLS/)
    const meta = {
      index: 1,
      term: 1,
      membership: { voters: [a], votersOutgoing: [], learners: [] },
    }
    const stream = { meta, id: undefined, chunks: () => [] as unknown as AsyncIterable<Uint8Array> }
    await expect(sender.transport.sendSnapshot(b, stream)).rejects.toThrow('speak TLS')
  })
})

test('who shows no certificate reaches nothing, not even a request handler', async () => {
  const refusals: string[] = []
  let requests = 0
  const server = createPeerServer(
    { tls: tlsOf('b'), onRefused: ({ message }) => refusals.push(message) },
    (_request, response) => {
      requests++
      response.end('secret')
    },
  )
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const answer = await new Promise<string>((resolve) => {
    let text = ''
    const socket = connectTls({ port, host: '127.0.0.1', ca: authority.ca }, () => {
      socket.write('GET / HTTP/1.1\r\nhost: b\r\n\r\n')
    })
    socket.on('data', (data) => {
      text += data.toString()
    })
    socket.on('close', () => {
      resolve(text)
    })
  })
  expect(answer).toContain('HTTP/1.1 412')
  expect(answer).toContain('shows no certificate')
  expect([requests, refusals]).toEqual([0, ['A peer at 127.0.0.1 shows no certificate']])
  await new Promise((resolve) => server.close(resolve))
})

test('TLS older than 1.2 is refused', async () => {
  const { url, recorder } = await start(b, { tls: tlsOf('b') })
  const options = { ...certificates.a, ca: authority.ca, port: Number(new URL(url).port) }
  const error = await new Promise<Error>((resolve) => {
    connectTls({ ...options, host: '127.0.0.1', maxVersion: 'TLSv1.1', minVersion: 'TLSv1' })
      .on('error', resolve)
      .on('secureConnect', () => {
        resolve(new Error('it was let in'))
      })
  })
  expect(error.message).not.toBe('it was let in')
  expect(recorder.messages).toEqual([])
})

test('who opens a connection and says nothing is cut off before the handshake too', async () => {
  const { url } = await start(b, { tls: tlsOf('b') })
  await new Promise((resolve) => {
    connectPlain(Number(new URL(url).port), '127.0.0.1')
      .on('close', resolve)
      .on('error', () => {})
  })
})

test('new certificates are used without a restart', async () => {
  const { sender, receiver } = await meet({ from: tlsOf('a') })
  await waitFor(() => {
    sender.transport.send([heartbeat(1)])
    return receiver.recorder.messages.length > 0
  })
  const both = [authority.ca, stranger.ca]
  receiver.transport.reloadTls({ ...(await stranger.sign({ commonName: 'b' })), ca: both })
  sender.transport.reloadTls({ ...(await stranger.sign({ commonName: 'a' })), ca: [stranger.ca] })
  const { url } = receiver
  sender.transport.setPeers(new Map())
  const before = receiver.recorder.messages.length
  sender.transport.setPeers(new Map([[b, httpsUrl(url)]]))
  await waitFor(() => {
    sender.transport.send([heartbeat(2)])
    return receiver.recorder.messages.length > before
  })
  expect([sender.recorder.refusals, receiver.recorder.refusals]).toEqual([[], []])
})

test('three members agree over TLS', async () => {
  const members = await TestMembers.create(3)
  const urls = new Map<NodeId, string>()
  const transports: WsTransport[] = []
  for (const id of members.voters) {
    const own = await authority.sign({ commonName: id })
    const tls = { ...own, ca: authority.ca, namesOf: (peer: NodeId) => [peer] }
    const transport = createWsTransport({ id, clusterId: 'test', tls })
    transports.push(transport)
    await members.start(id, { transport })
    urls.set(id, `https://127.0.0.1:${transport.address()?.port ?? 0}`)
  }
  for (const transport of transports) transport.setPeers(urls)
  const leader = await members.leader()
  await propose(leader.node, 'over TLS')
  const follower = members.follower(leader)
  await waitFor(() => follower.machine.commands.includes('over TLS'))
  await members.close()
})
