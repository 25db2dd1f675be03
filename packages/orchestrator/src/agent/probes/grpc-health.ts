// One call of grpc.health.v1.Health/Check, the gRPC probe: plain HTTP/2, no certificate, in the words of upstream's prober.
import { connect, constants, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2'
import type { ProbeResult } from './probe-action.ts'

const serving = 1
const statusNames: readonly string[] = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN']
const unimplemented = '12'
const frameHeaderBytes = 5
const answerBytesMax = 4096
const serviceField = 0x0a

export async function checkGrpcHealth(
  address: string,
  service: string,
  timeoutMs: number,
): Promise<ProbeResult> {
  const session = connect(`http://${address}`)
  try {
    return await new Promise<ProbeResult>((resolve) => {
      const within = `within ${timeoutMs / 1000}s`
      let isConnected = false
      session.once('connect', () => {
        isConnected = true
      })
      const fail = (message: string): void => {
        const unconnected = `timeout: failed to connect service "${address}" ${within}: context deadline exceeded`
        resolve({ outcome: 'failure', message: isConnected ? message : unconnected })
      }
      const timer = setTimeout(() => {
        fail(`timeout: health rpc did not complete ${within}`)
      }, timeoutMs)
      session.once('close', () => clearTimeout(timer))
      const failed = ({ message }: Error): void =>
        fail(`error: health rpc probe failed: ${message}`)
      session.once('error', failed)
      call(session, service).then(resolve, failed)
    })
  } finally {
    session.destroy()
  }
}

function call(session: ClientHttp2Session, service: string): Promise<ProbeResult> {
  const stream = session.request({
    [constants.HTTP2_HEADER_METHOD]: 'POST',
    [constants.HTTP2_HEADER_PATH]: '/grpc.health.v1.Health/Check',
    'content-type': 'application/grpc',
    te: 'trailers',
    'user-agent': 'kube-probe/1.33',
  })
  return new Promise((resolve, reject) => {
    let status = ''
    let message = ''
    let answer: Buffer = Buffer.alloc(0)
    const readStatus = (headers: IncomingHttpHeaders): void => {
      const { 'grpc-status': code, 'grpc-message': text } = headers
      if (typeof code === 'string') status = code
      if (typeof text === 'string') message = text
    }
    stream.on('response', readStatus)
    stream.on('trailers', readStatus)
    stream.on('error', reject)
    stream.on('data', (part: Buffer) => {
      answer = Buffer.concat([answer, part]).subarray(0, answerBytesMax)
    })
    stream.on('end', () => resolve(verdict(status, message, answer)))
    stream.end(checkRequest(service))
  })
}

/** HealthCheckRequest { service = 1 } in one frame. */
function checkRequest(service: string): Buffer {
  const name = Buffer.from(service)
  const length: number[] = []
  for (let rest = name.length; ; rest >>>= 7) {
    length.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest)
    if (rest <= 0x7f) break
  }
  const body =
    name.length === 0 ? name : Buffer.concat([Buffer.from([serviceField, ...length]), name])
  const header = Buffer.alloc(frameHeaderBytes)
  header.writeUInt32BE(body.length, 1)
  return Buffer.concat([header, body])
}

function verdict(status: string, message: string, answer: Buffer): ProbeResult {
  if (status === unimplemented) {
    const text = `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${message}`
    return { outcome: 'failure', message: text }
  }
  if (status !== '0') {
    const text = `error: health rpc probe failed: rpc error: code = ${status} desc = ${message}`
    return { outcome: 'failure', message: text }
  }
  // HealthCheckResponse { status = 1 }, one byte; left out when it is 0.
  const state = answer.length >= frameHeaderBytes + 2 ? (answer[frameHeaderBytes + 1] ?? 0) : 0
  if (state === serving) return { outcome: 'success', message: 'service healthy' }
  const name = statusNames[state] ?? String(state)
  return { outcome: 'failure', message: `service unhealthy (responded with "${name}")` }
}
