// GET pods/NAME/log: finds the container, asks the source of the pod's node, and passes its text on as it comes.
import type { KubeObject, Stored } from '../../resources/object.ts'
import { apiErrorFrom, badRequest, invalid, methodNotAllowed } from '../api-errors.ts'
import type { PodLogOptions } from '../node-connections.ts'
import { containerOf, nodeOf } from '../subresources/pod-container.ts'
import type { SubresourceRequest } from '../subresources/subresource-table.ts'
import type { Exchange } from './exchange.ts'
import { flag, wholeNumber } from './query-options.ts'

/** How long a follower's headers wait for a first line, so that an immediate refusal can still be told with its status. */
const followGraceMs = 50

export const handleLog = async ({
  exchange,
  registry,
  place,
  nodes,
}: SubresourceRequest): Promise<void> => {
  if (exchange.method !== 'GET') throw methodNotAllowed()
  const pod = (await registry.get(place)).object
  const options = logOptions(exchange.query, pod)
  const log = nodes.get(nodeOf(pod)).readLog(pod, options, exchange.signal)
  const lines = log[Symbol.asyncIterator]()
  const first = lines.next()
  if (options.follow) {
    const grace = new Promise<void>((resolve) => {
      setTimeout(resolve, followGraceMs)
    })
    await Promise.race([first, grace])
  } else await first
  await passOn(exchange, lines, first)
}

const passOn = async (
  exchange: Exchange,
  lines: AsyncIterator<Uint8Array>,
  first: Promise<IteratorResult<Uint8Array>>,
): Promise<void> => {
  const stream = exchange.startStream(200, 'text/plain')
  const { signal } = exchange
  let resume: () => void = () => undefined
  stream.onDrain = () => {
    resume()
  }
  signal.addEventListener('abort', () => {
    resume()
  })
  try {
    for (let result = await first; result.done !== true; result = await lines.next()) {
      if (signal.aborted) break
      if (stream.write(result.value)) continue
      await new Promise<void>((resolve) => {
        resume = resolve
        if (signal.aborted) resolve()
      })
    }
  } catch (reason) {
    if (!signal.aborted) stream.write(`${apiErrorFrom(reason).message}\n`)
  }
  stream.end()
  await lines.return?.()
}

const logOptions = (query: URLSearchParams, pod: Stored<KubeObject>): PodLogOptions => {
  const tailLines = notNegative(query, 'tailLines', 0)
  const limitBytes = notNegative(query, 'limitBytes', 1)
  const sinceSeconds = notNegative(query, 'sinceSeconds', 1)
  const sinceTime = query.get('sinceTime') ?? ''
  const sinceTimeMs = sinceTime === '' ? undefined : Date.parse(sinceTime)
  if (sinceTimeMs !== undefined && Number.isNaN(sinceTimeMs)) {
    throw badRequest(`parsing time ${JSON.stringify(sinceTime)}: cannot parse as RFC 3339`)
  }
  return {
    container: containerOf(pod, query.get('container') ?? ''),
    follow: flag(query, 'follow'),
    previous: flag(query, 'previous'),
    timestamps: flag(query, 'timestamps'),
    tailLines,
    limitBytes,
    sinceMs: sinceSeconds === undefined ? sinceTimeMs : Date.now() - sinceSeconds * 1000,
  }
}

const notNegative = (query: URLSearchParams, name: string, least: number): number | undefined => {
  const value = wholeNumber(query, name)
  if (value === undefined || value >= least) return value
  throw invalid({ group: '', kind: 'PodLogOptions' }, '', [
    {
      reason: 'FieldValueInvalid',
      field: name,
      message: `Invalid value: ${value}: must be greater than ${least === 0 ? 'or equal to 0' : '0'}`,
    },
  ])
}
