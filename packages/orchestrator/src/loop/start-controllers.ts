// Starts controllers over shared caches: each in a loop of its own, none before the caches are filled.
import type { ApiClient } from '../client/api-client.ts'
import { ControllerLoop } from './controller-loop.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { resourceTypes } from '../resources/index.ts'
import type { Controller, ServedKinds } from './controller.ts'
import type { CertificateIssuer } from './controllers/certificate-controller.ts'
import { allControllers } from './controllers/all-controllers.ts'
import { Informers } from './informers.ts'
import type { MetricsSource } from './metrics-source.ts'

export interface ControllersOptions {
  /** Reads for all. */
  readonly client: ApiClient
  /** What the controller of that name writes through; left out: `client`. */
  readonly clientOf?: (controller: string) => ApiClient
  /** Told of failed requests, which are tried again. */
  readonly onError?: (error: unknown) => void
  /** By which pods know the apiserver; PEM. */
  readonly rootCertificate?: string
  /** Left out: the kinds that Balsa knows. */
  readonly kinds?: ServedKinds
  /** What autoscalers read. */
  readonly metrics?: MetricsSource
  /** Left out: nothing is counted. */
  readonly telemetry?: Metrics
  /** Removes the folder of a volume on a node; rejects while the node cannot be reached. */
  readonly removeVolume?: (nodeName: string, path: string) => Promise<void>
  /** Signs certificates; left out: nobody does. */
  readonly issuer?: CertificateIssuer
  /** All, unless given. */
  readonly controllers?: readonly Controller[]
  /** Epoch milliseconds. */
  readonly now?: () => number
  /** Aborted while the caches fill: no controller begins. */
  readonly signal?: AbortSignal
}

/** For servers that serve nothing else. */
export const builtInKinds: ServedKinds = {
  list: () => resourceTypes.filter((type) => type.storage === undefined),
  onChange: () => undefined,
}

/** Resolves when all caches are filled and all controllers work. */
export async function startControllers(
  options: ControllersOptions,
): Promise<{ close(): Promise<void> }> {
  const { client, controllers = allControllers, now = Date.now } = options
  const { clientOf = () => client } = options
  const onError = options.onError ?? (() => undefined)
  const informers = new Informers(client, onError)
  const { views } = informers
  const { rootCertificate, metrics, removeVolume, issuer, kinds = builtInKinds } = options
  const { telemetry } = options
  const context = {
    informers,
    kinds,
    now,
    ...(rootCertificate === undefined ? {} : { rootCertificate }),
    ...(issuer === undefined ? {} : { issuer }),
    ...(metrics === undefined ? {} : { metrics }),
    ...(removeVolume === undefined ? {} : { removeVolume }),
  }
  const loops = controllers.map(({ name, component = name, connect }) => {
    const own = clientOf(name)
    const parts = connect({ ...context, client: own })
    const names = { name: component, ...(telemetry === undefined ? {} : { telemetry }) }
    return new ControllerLoop({ ...parts, ...names, client: own, views, now, onError })
  })
  const { signal } = options
  signal?.addEventListener('abort', () => informers.close(), { once: true })
  informers.start()
  await informers.synced()
  if (signal?.aborted !== true) await Promise.all(loops.map((loop) => loop.start()))
  return {
    close: async () => {
      informers.close()
      await Promise.all(loops.map((loop) => loop.close()))
    },
  }
}
