// The rules for probes and lifecycle hooks: exactly one way to act, and sensible numbers.
import type { FieldError } from '../object.ts'
import {
  forbidden,
  invalid,
  invalidEach,
  notEmpty,
  notNegative,
  oneOf,
  required,
} from '../validation/field-error.ts'
import { portReferenceProblems } from '../validation/validate-port.ts'
import type { ActionHandler, HttpGetAction, IntOrString, Probe } from './pod-spec.ts'

const schemes: readonly string[] = ['HTTP', 'HTTPS']
const handlerNames = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const

/** `succeedsAtOnce`: liveness and startup probes count one success. */
export const validateProbe = (
  probe: Probe,
  path: string,
  succeedsAtOnce: boolean,
): FieldError[] => [
  ...validateHandler(probe, path),
  ...notNegative(`${path}.initialDelaySeconds`, probe.initialDelaySeconds),
  ...notNegative(`${path}.timeoutSeconds`, probe.timeoutSeconds),
  ...notNegative(`${path}.periodSeconds`, probe.periodSeconds),
  ...notNegative(`${path}.successThreshold`, probe.successThreshold),
  ...notNegative(`${path}.failureThreshold`, probe.failureThreshold),
  ...(succeedsAtOnce && (probe.successThreshold ?? 1) !== 1
    ? [invalid(`${path}.successThreshold`, probe.successThreshold, 'must be 1')]
    : []),
  ...(probe.terminationGracePeriodSeconds !== undefined && probe.terminationGracePeriodSeconds <= 0
    ? [
        invalid(
          `${path}.terminationGracePeriodSeconds`,
          probe.terminationGracePeriodSeconds,
          'must be greater than 0',
        ),
      ]
    : []),
]

export const validateHandler = (handler: ActionHandler, path: string): FieldError[] => {
  const named = handlerNames.filter((name) => handler[name] !== undefined)
  if (named.length === 0) return [required(path, 'must specify a handler type')]
  const { exec, httpGet, tcpSocket, grpc } = handler
  return [
    ...named
      .slice(1)
      .map((name) => forbidden(`${path}.${name}`, 'may not specify more than 1 handler type')),
    ...(exec !== undefined && (exec.command ?? []).length === 0
      ? [required(`${path}.exec.command`)]
      : []),
    ...(httpGet === undefined ? [] : validateHttpGet(httpGet, `${path}.httpGet`)),
    ...(tcpSocket === undefined ? [] : validatePort(tcpSocket.port, `${path}.tcpSocket.port`)),
    ...(grpc === undefined ? [] : validatePort(grpc.port, `${path}.grpc.port`)),
  ]
}

const validateHttpGet = (action: HttpGetAction, path: string): FieldError[] => [
  ...notEmpty(`${path}.path`, action.path),
  ...validatePort(action.port, `${path}.port`),
  ...oneOf(`${path}.scheme`, action.scheme, schemes),
]

const validatePort = (port: IntOrString, field: string): FieldError[] =>
  invalidEach(field, port, portReferenceProblems(port))
