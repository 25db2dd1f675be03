// A real etcd of one member on free ports, as the judge of what a client sees.
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:net'

export interface EtcdProcess {
  readonly endpoint: string
  stop(): Promise<void>
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  await new Promise((resolve) => {
    server.close(resolve)
  })
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

export async function startEtcd(path: string): Promise<EtcdProcess> {
  const directory = await mkdtemp(join(tmpdir(), 'balsa-etcd-'))
  const [clientPort, peerPort] = [await freePort(), await freePort()]
  const endpoint = `http://127.0.0.1:${clientPort}`
  const peer = `http://127.0.0.1:${peerPort}`
  const child = spawn(
    path,
    [
      ['--data-dir', directory],
      ['--listen-client-urls', endpoint],
      ['--advertise-client-urls', endpoint],
      ['--listen-peer-urls', peer],
      ['--initial-advertise-peer-urls', peer],
      ['--initial-cluster', `default=${peer}`],
    ].flat(),
    { stdio: 'ignore' },
  )
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
  })
  await untilListening(clientPort)
  return {
    endpoint,
    async stop(): Promise<void> {
      child.kill('SIGKILL')
      await ended
      await rm(directory, { recursive: true, force: true })
    },
  }
}

async function untilListening(port: number): Promise<void> {
  const deadline = Date.now() + 20_000
  for (;;) {
    const isListening = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1')
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
    if (isListening) return
    if (Date.now() > deadline) throw new Error(`nothing listens on port ${port}`)
    await new Promise((resolve) => {
      setTimeout(resolve, 20)
    })
  }
}
