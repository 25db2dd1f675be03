// pods/NAME/exec and pods/NAME/attach: finds the container, upgrades the connection, and joins its streams with those of the pod's node.
import type { KubeObject, Stored } from '../../resources/object.ts'
import type { Pod } from '../../resources/pod.ts'
import { badRequest, internalError, methodNotAllowed } from '../api-errors.ts'
import type { CommandStreams, NodeConnection } from '../node-connections.ts'
import { commandStatus, failureStatus, openCommandSession } from '../streaming/command-session.ts'
import { upgradeKind } from '../streaming/upgrade.ts'
import type { Exchange } from '../wire/exchange.ts'
import { flag } from '../wire/query-options.ts'
import { containerOf, nodeOf } from './pod-container.ts'
import type { SubresourceRequest } from './subresource-table.ts'

const methods = new Set(['GET', 'POST'])
const commandBytesMax = 256 * 1024

export const handleExec = async (request: SubresourceRequest): Promise<void> => {
  const command = request.exchange.query.getAll('command')
  if (command.length === 0) throw badRequest('you must specify at least one command for exec')
  if (command.join(' ').length > commandBytesMax) throw badRequest('the command is too long')
  await join(request, (node, pod, container) => {
    const run = node.exec?.bind(node)
    if (run === undefined) throw internalError('the node does not serve exec')
    return (streams) => run(pod, { container, command }, streams)
  })
}

export const handleAttach = async (request: SubresourceRequest): Promise<void> => {
  await join(request, (node, pod, container) => {
    const attach = node.attach?.bind(node)
    if (attach === undefined) throw internalError('the node does not serve attach')
    return async (streams) => {
      await attach(pod, { container }, streams)
      return 0
    }
  })
}

type Command = (streams: CommandStreams) => Promise<number>

const join = async (
  { exchange, registry, place, nodes }: SubresourceRequest,
  commandOf: (node: NodeConnection, pod: Stored<KubeObject>, container: string) => Command,
): Promise<void> => {
  if (!methods.has(exchange.method)) throw methodNotAllowed()
  const pod = (await registry.get(place)).object
  const container = containerOf(pod, exchange.query.get('container') ?? '')
  const command = commandOf(nodes.get(nodeOf(pod)), pod, container)
  upgradeKind(exchange)
  if (!isRunning(pod, container)) {
    // In plain text: the clients show it as the reason why the upgrade failed.
    exchange.send(500, 'text/plain; charset=utf-8', `container not found ("${container}")`)
    return
  }
  const session = await openCommandSession(exchange, streamsAsked(exchange))
  try {
    const exitCode = await command(session.streams)
    await session.finish(commandStatus(exitCode))
  } catch (reason) {
    await session.finish(failureStatus(reason))
  }
}

const streamsAsked = ({ query }: Exchange): Parameters<typeof openCommandSession>[1] => ({
  stdin: flag(query, 'stdin'),
  stdout: flag(query, 'stdout'),
  stderr: flag(query, 'stderr'),
  tty: flag(query, 'tty'),
})

const isRunning = (object: Stored<KubeObject>, container: string): boolean => {
  const { status } = object as Stored<Pod>
  const statuses = [
    ...(status.containerStatuses ?? []),
    ...(status.initContainerStatuses ?? []),
    ...(status.ephemeralContainerStatuses ?? []),
  ]
  return statuses.find(({ name }) => name === container)?.state.running !== undefined
}
