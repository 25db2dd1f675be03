// One group version that another server answers for: whether it does, and what it says of itself, as of the last look.
import type { ApiService } from '../../resources/aggregation/api-service.ts'
import { availableCondition } from '../../resources/aggregation/api-service.ts'
import { jsonEqual } from '../../resources/json-equal.ts'
import type { FrontProxy } from '../pki/certificates.ts'
import type { ServiceEndpoints } from '../webhooks/remote-endpoint.ts'
import { ApiBackend } from './api-backend.ts'
import { type Availability, checkAvailability } from './availability.ts'
import type { Priority } from './group-priorities.ts'
import { readDiscovery, type RemoteDiscovery, type RemoteResource } from './remote-discovery.ts'
import { readOpenApi, type RemoteOpenApi } from './remote-open-api.ts'

/** A version for the discovery documents. */
export interface RemoteVersion {
  readonly group: string
  readonly version: string
  readonly priority: Priority
  readonly resources: readonly RemoteResource[]
  /** The server could not be asked lately: `resources` is what was known before. */
  readonly isStale: boolean
}

export class RemoteApi {
  readonly name: string
  readonly backend: ApiBackend
  readonly #endpoints: ServiceEndpoints
  #availability: Availability
  #discovery: RemoteDiscovery | undefined
  #isStale = true
  #openApi: RemoteOpenApi | undefined

  constructor(
    service: ApiService,
    endpoints: ServiceEndpoints,
    frontProxy: () => Promise<FrontProxy>,
  ) {
    this.name = service.metadata.name ?? ''
    this.backend = new ApiBackend(service.spec, endpoints, frontProxy)
    this.#endpoints = endpoints
    // What was found before a restart counts until there is something newer.
    this.#availability = availableCondition(service.status) ?? { status: 'Unknown' }
  }

  get isAvailable(): boolean {
    return this.#availability.status === 'True'
  }

  get availability(): Availability {
    return this.#availability
  }

  get version(): RemoteVersion {
    const { group = '', version = '', groupPriorityMinimum, versionPriority } = this.backend.spec
    return {
      group,
      version,
      priority: { group: groupPriorityMinimum, version: versionPriority },
      resources: this.#discovery?.resources ?? [],
      isStale: this.#isStale,
    }
  }

  get openApi(): RemoteOpenApi | undefined {
    return this.#openApi
  }

  /** Whether something that others see is different from before. Takes half a minute at most; never rejects. */
  async look(): Promise<boolean> {
    const before = { availability: this.#availability, isStale: this.#isStale }
    this.#availability = await checkAvailability(this.backend, this.#endpoints)
    let isChanged = !jsonEqual(before.availability, this.#availability)
    if (!this.isAvailable) {
      this.#isStale = true
      return isChanged || !before.isStale
    }
    const discovery = await readDiscovery(this.backend, this.#discovery).catch(unanswered)
    this.#isStale = discovery === undefined
    if (discovery !== undefined) {
      isChanged ||= !sameResources(this.#discovery, discovery)
      this.#discovery = discovery
    }
    const openApi = await readOpenApi(this.backend, this.#openApi).catch(unanswered)
    if (openApi !== undefined) {
      isChanged ||= openApi !== this.#openApi
      this.#openApi = openApi
    }
    return isChanged || before.isStale !== this.#isStale
  }

  close(): void {
    this.backend.close()
  }
}

/** It is asked again at the next look; meanwhile what is known stays. */
const unanswered = (): undefined => undefined

const sameResources = (a: RemoteDiscovery | undefined, b: RemoteDiscovery): boolean =>
  a === b || (a !== undefined && jsonEqual(a.resources, b.resources))
