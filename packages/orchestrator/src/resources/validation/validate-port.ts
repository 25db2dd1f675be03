// Ports as they are referred to: by number or by the name of a container's port.
import { portNameProblems, portNumberProblems } from '../names.ts'
import type { IntOrString } from '../pod-spec/pod-spec.ts'

export const portProtocols: readonly string[] = ['SCTP', 'TCP', 'UDP']

export const portReferenceProblems = (port: IntOrString): readonly string[] =>
  typeof port === 'number' ? portNumberProblems(port) : portNameProblems(port)
