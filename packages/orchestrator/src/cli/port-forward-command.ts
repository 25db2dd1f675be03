// `balsa port-forward`: ports of this machine that lead to ports of a pod, or of one behind a Service, a stream for each connection.
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Command } from 'commander'
import { objectPath } from '../client/http-api-client.ts'
import { ApiSession, type SessionOptions } from './api-session.ts'
import { findPod, podsRef } from './find-pod.ts'
import { PodStream } from './pod-stream.ts'
import { targetOf } from './port-names.ts'
import { runVerb } from './verb-failure.ts'

interface ForwardOptions extends SessionOptions {
  readonly address: string
}
interface Ports {
  /** Left out: the same as the remote one. */
  readonly local: number | undefined
  /** A number or a name. */
  readonly remote: string
}

const dataChannel = 0
const errorChannel = 1
const portMax = 65_535

export const registerPortForwardCommand = (
  program: Command,
  withSession: (command: Command) => Command,
): void => {
  withSession(program.command('port-forward'))
    .description('reach ports of a pod or a Service by ports of this machine')
    .argument('<pod>', 'POD, or RESOURCE/NAME')
    .argument('<ports...>', 'PORT, LOCAL:REMOTE, or :REMOTE for any free local one')
    .option('--address <hosts>', 'where to listen, with commas between', 'localhost')
    .action((pod: string, ports: string[], options: ForwardOptions) =>
      runVerb(() => forward(pod, ports.map(portsOf), options)),
    )
}

const portsOf = (text: string): Ports => {
  const [, first = '', second] = /^([^:]*)(?::([^:]+))?$/.exec(text) ?? []
  const remote = second ?? first
  const local = second === undefined ? undefined : Number(first)
  const isLocal = local === undefined || (Number.isInteger(local) && local <= portMax)
  if (remote === '' || !isLocal)
    throw new Error(`error parsing port ${JSON.stringify(text)}: PORT, LOCAL:REMOTE or :REMOTE`)
  return { local, remote }
}

/** Until the process is told to end. */
const forward = async (
  word: string,
  ports: readonly Ports[],
  options: ForwardOptions,
): Promise<void> => {
  using session = new ApiSession(options)
  const pod = await findPod(session, word)
  const target = await targetOf(session, word, pod)
  const wanted = ports.map(({ local, remote }) => {
    const number = target(remote)
    // A Service's port keeps its number on this side.
    const same = /^\d+$/.test(remote) ? Number(remote) : number
    return { local: local ?? same, remote: number }
  })
  const hosts = options.address.split(',')
  const servers: Server[] = []
  for (const { local, remote } of wanted)
    servers.push(...(await listenAll(session, pod, { local, remote }, hosts)))
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
  for (const server of servers) server.close()
}

interface Numbers {
  readonly local: number
  readonly remote: number
}

/** `localhost` is both of its addresses, of which this machine may lack the second. */
const listenAll = async (
  session: ApiSession,
  pod: string,
  numbers: Numbers,
  hosts: readonly string[],
): Promise<Server[]> => {
  const servers: Server[] = []
  for (const host of hosts) {
    const isLocal = host === 'localhost'
    const first = await listen(session, pod, numbers, isLocal ? '127.0.0.1' : host)
    servers.push(first)
    if (!isLocal) continue
    const { port: local } = first.address() as AddressInfo
    try {
      servers.push(await listen(session, pod, { ...numbers, local }, '::1'))
    } catch (reason) {
      const code = reason instanceof Error && 'code' in reason ? reason.code : undefined
      if (typeof code !== 'string' || !unavailable.has(code)) throw reason
    }
  }
  return servers
}

const unavailable = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EADDRINUSE'])

const listen = async (
  session: ApiSession,
  pod: string,
  { local, remote }: Numbers,
  host: string,
): Promise<Server> => {
  const server = createServer((socket) => void carry(session, pod, remote, socket))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port: local }, resolve)
  })
  const { port } = server.address() as AddressInfo
  const shown = host.includes(':') ? `[${host}]` : host
  process.stdout.write(`Forwarding from ${shown}:${port} -> ${remote}\n`)
  return server
}

const carry = async (
  session: ApiSession,
  pod: string,
  remote: number,
  socket: Socket,
): Promise<void> => {
  socket.pause().on('error', () => socket.destroy())
  process.stdout.write(`Handling connection for ${remote}\n`)
  const begun = new Set<number>()
  try {
    const stream = await PodStream.open(session, {
      path: objectPath(podsRef, session.namespace, pod, 'portforward'),
      query: [['ports', String(remote)]],
      onData: (channel, bytes) => {
        // The first message of a channel repeats the port.
        if (!begun.has(channel)) begun.add(channel)
        else if (channel === dataChannel) socket.write(bytes)
        else if (channel === errorChannel)
          process.stderr.write(`error: ${bytes.toString('utf8')}\n`)
      },
    })
    void stream.closed.then(() => socket.end())
    socket.on('close', () => stream.close())
    socket.on('data', (chunk: Buffer) => {
      socket.pause()
      void stream.send(dataChannel, chunk).then(() => socket.resume())
    })
    socket.resume()
  } catch (reason) {
    process.stderr.write(`error: ${reason instanceof Error ? reason.message : String(reason)}\n`)
    socket.destroy()
  }
}
