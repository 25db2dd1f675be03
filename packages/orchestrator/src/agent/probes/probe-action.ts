// One try of a probe: HTTP, TCP, gRPC or a command. A probe that cannot be tried at all is `unknown` and changes nothing, as a kubelet treats it.
import { connect } from 'node:net'
import type {
  Container,
  HttpGetAction,
  IntOrString,
  Probe,
} from '../../resources/pod-spec/pod-spec.ts'
import { checkGrpcHealth } from './grpc-health.ts'
import { dialText, tryHttp } from './http-probe.ts'
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

export async function tryProbe(probe: Probe, target: ProbeTarget): Promise<ProbeResult> {
  const timeoutMs = (probe.timeoutSeconds ?? defaultTimeoutSeconds) * 1000
  if (probe.httpGet !== undefined) return tryHttpGet(probe.httpGet, target, timeoutMs)
  if (probe.tcpSocket !== undefined) {
    const port = portNumber(probe.tcpSocket.port, target.container)
    if (port === undefined) return unknownPort(probe.tcpSocket.port)
    return tryTcp(probe.tcpSocket.host ?? target.podIp, port, timeoutMs)
  }
  if (probe.exec !== undefined) return tryExec(probe.exec.command ?? [], target, timeoutMs)
  if (probe.grpc !== undefined) {
    const { port, service = '' } = probe.grpc
    return checkGrpcHealth(`${target.podIp}:${port}`, service, timeoutMs)
  }
  return { outcome: 'unknown', message: 'missing probe handler' }
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

function tryHttpGet(
  action: HttpGetAction,
  target: ProbeTarget,
  timeoutMs: number,
): Promise<ProbeResult> {
  const port = portNumber(action.port, target.container)
  if (port === undefined) return Promise.resolve(unknownPort(action.port))
  const { host = '', scheme = 'HTTP', path = '' } = action
  const name = host === '' ? target.podIp : host
  const shown = `${scheme.toLowerCase()}://${name}:${port}/${path.replace(/^\//, '')}`
  if (!URL.canParse(shown))
    return Promise.resolve({ outcome: 'unknown', message: `parse ${shown}` })
  const named = (action.httpHeaders ?? []).map(({ name: header, value }) => [header, value])
  const headers = { 'User-Agent': 'kube-probe/1.33', Accept: '*/*', ...Object.fromEntries(named) }
  return tryHttp(new URL(shown), headers, timeoutMs, shown)
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
      end({ outcome: 'failure', message: dialText(error, new URL(`tcp://${host}:${port}`)) }),
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
      return { outcome: 'failure', message: `command "${command.join(' ')}" timed out` }
    return { outcome: exitCode === 0 ? 'success' : 'failure', message: output }
  } catch (reason) {
    if (!(reason instanceof RunError)) throw reason
    return { outcome: 'unknown', message: reason.message }
  }
}
