// `balsa port-forward`: ports of this machine that lead to ports of a pod, a stream for each connection.
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Command } from 'commander'
import { objectPath } from '../client/http-api-client.ts'
import { ApiSession, type SessionOptions } from './api-session.ts'
import { findPod, podsRef } from './find-pod.ts'
import { PodStream } from './pod-stream.ts'
import { runVerb } from './verb-failure.ts'

interface ForwardOptions extends SessionOptions {
  readonly address: string
}
interface Ports {
  readonly local: number
  readonly remote: number
}

const dataChannel = 0
const errorChannel = 1
const portMax = 65_535

export const registerPortForwardCommand = (
  program: Command,
  withSession: (command: Command) => Command,
): void => {
  withSession(program.command('port-forward'))
    .description('reach ports of a pod by ports of this machine')
    .argument('<pod>', 'POD, or RESOURCE/NAME')
    .argument('<ports...>', 'PORT, LOCAL:REMOTE, or :REMOTE for any free local one')
    .option('--address <host>', 'where to listen', '127.0.0.1')
    .action((pod: string, ports: string[], options: ForwardOptions) =>
      runVerb(() => forward(pod, ports.map(portsOf), options)),
    )
}

const portsOf = (text: string): Ports => {
  const [, first = '', second] = /^(\d*)(?::(\d+))?$/.exec(text) ?? []
  const remote = Number(second ?? first)
  const local = Number(first)
  if (text === '' || remote < 1 || remote > portMax || local > portMax)
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
  await session.client.get(podsRef, session.namespace, pod)
  const servers = await Promise.all(
    ports.map((each) => listen(session, pod, each, options.address)),
  )
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
  for (const server of servers) server.close()
}

const listen = async (
  session: ApiSession,
  pod: string,
  { local, remote }: Ports,
  host: string,
): Promise<Server> => {
  const server = createServer((socket) => void carry(session, pod, remote, socket))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port: local }, resolve)
  })
  const { port } = server.address() as AddressInfo
  process.stdout.write(`Forwarding from ${host}:${port} -> ${remote}\n`)
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
