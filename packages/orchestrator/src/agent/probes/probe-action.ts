// One try of a probe: HTTP, TCP or a command. A probe that cannot be tried at all is `unknown` and changes nothing, as a kubelet treats it.
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import type {
  Container,
  HttpGetAction,
  IntOrString,
  Probe,
} from '../../resources/pod-spec/pod-spec.ts'
import { RunError } from '../runtime/runtime.ts'

export interface ProbeResult {
  readonly outcome: 'success' | 'failure' | 'unknown'
  readonly message: string
}
export interface ProbeTarget {
  readonly container: Container
  readonly podIp: string
  execute(
    argv: readonly string[],
    timeoutMs: number,
  ): Promise<{ exitCode: number; output: string; isTimedOut: boolean }>
}

const defaultTimeoutSeconds = 1
const bodyCharactersMax = 256

export async function tryProbe(probe: Probe, target: ProbeTarget): Promise<ProbeResult> {
  const timeoutMs = (probe.timeoutSeconds ?? defaultTimeoutSeconds) * 1000
  if (probe.httpGet !== undefined) return tryHttp(probe.httpGet, target, timeoutMs)
  if (probe.tcpSocket !== undefined) {
    const port = portNumber(probe.tcpSocket.port, target.container)
    if (port === undefined) return unknownPort(probe.tcpSocket.port)
    return tryTcp(probe.tcpSocket.host ?? target.podIp, port, timeoutMs)
  }
  if (probe.exec !== undefined) return tryExec(probe.exec.command ?? [], target, timeoutMs)
  return { outcome: 'unknown', message: 'probes of this type are not served' }
}

const portNumber = (port: IntOrString, container: Container): number | undefined => {
  if (typeof port === 'number') return port
  if (/^\d+$/.test(port)) return Number(port)
  return container.ports?.find(({ name }) => name === port)?.containerPort
}

const unknownPort = (port: IntOrString): ProbeResult => ({
  outcome: 'unknown',
  message: `couldn't find port: ${port}`,
})

function tryHttp(
  action: HttpGetAction,
  target: ProbeTarget,
  timeoutMs: number,
): Promise<ProbeResult> {
  const port = portNumber(action.port, target.container)
  if (port === undefined) return Promise.resolve(unknownPort(action.port))
  const host = action.host ?? target.podIp
  const isTls = action.scheme?.toUpperCase() === 'HTTPS'
  const path = action.path === undefined || action.path === '' ? '/' : action.path
  const headers = Object.fromEntries(
    (action.httpHeaders ?? []).map(({ name, value }) => [name, value]),
  )
  const url = `${isTls ? 'https' : 'http'}://${host}:${port}${path}`
  return new Promise((resolve) => {
    const options = {
      host,
      port,
      path,
      headers: { 'User-Agent': 'kube-probe/1.0', Accept: '*/*', ...headers },
      agent: false,
      signal: AbortSignal.timeout(timeoutMs),
    }
    const request = isTls
      ? httpsRequest({ ...options, rejectUnauthorized: false })
      : httpRequest(options)
    request.on('error', (error) =>
      resolve({ outcome: 'failure', message: `Get "${url}": ${error.message}` }),
    )
    request.on('response', (response) => {
      const code = response.statusCode ?? 0
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => {
        body = (body + text).slice(0, bodyCharactersMax)
      })
      response.on('error', (error) => resolve({ outcome: 'failure', message: error.message }))
      response.on('end', () =>
        resolve(
          code >= 200 && code < 400
            ? { outcome: 'success', message: body }
            : { outcome: 'failure', message: `HTTP probe failed with statuscode: ${code}` },
        ),
      )
    })
    request.end()
  })
}

function tryTcp(host: string, port: number, timeoutMs: number): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const end = (result: ProbeResult): void => {
      socket.destroy()
      resolve(result)
    }
    socket.setTimeout(timeoutMs, () =>
      end({ outcome: 'failure', message: `dial tcp ${host}:${port}: i/o timeout` }),
    )
    socket.on('error', (error) =>
      end({ outcome: 'failure', message: `dial tcp ${host}:${port}: ${error.message}` }),
    )
    socket.on('connect', () => end({ outcome: 'success', message: '' }))
  })
}

async function tryExec(
  command: readonly string[],
  target: ProbeTarget,
  timeoutMs: number,
): Promise<ProbeResult> {
  try {
    const { exitCode, output, isTimedOut } = await target.execute(command, timeoutMs)
    if (isTimedOut)
      return { outcome: 'failure', message: `command timed out after ${timeoutMs / 1000}s` }
    return { outcome: exitCode === 0 ? 'success' : 'failure', message: output }
  } catch (reason) {
    if (!(reason instanceof RunError)) throw reason
    return { outcome: 'unknown', message: reason.message }
  }
}
