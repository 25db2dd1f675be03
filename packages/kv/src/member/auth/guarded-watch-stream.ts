// A watch stream whose watches are judged one by one when they are made, on the range as the client wrote it. What a watch may see is not
// looked at again while it lasts, as in etcd.
import type { Caller } from '../../auth/caller.ts'
import type { Permits } from '../../auth/permits.ts'
import { grpcStatus, KvError } from '../../errors.ts'
import type { WatchCreateRequest } from '../../proto/messages.ts'
import type { HubWatchStream } from '../../watch/hub-watch-stream.ts'
import type { Done, WatchStream } from '../types.ts'

/** Requests that wait for a token to be known here. */
const waitingMax = 10_000
const smallestKey = new Uint8Array(1)

export class GuardedWatchStream implements WatchStream {
  readonly #stream: HubWatchStream
  readonly #permits: Permits
  readonly #findCaller: (done: Done<Caller>) => void
  /** Answers come in the order of the requests. */
  readonly #waiting: (() => void)[] = []
  #isFinding = false

  constructor(
    stream: HubWatchStream,
    options: { permits: Permits; findCaller: (done: Done<Caller>) => void },
  ) {
    this.#stream = stream
    this.#permits = options.permits
    this.#findCaller = options.findCaller
  }

  create(request: WatchCreateRequest): void {
    this.#inTurn(() => this.#create(request))
  }

  cancel(watchId: number): void {
    this.#inTurn(() => this.#stream.cancel(watchId))
  }

  requestProgress(): void {
    this.#inTurn(() => this.#stream.requestProgress())
  }

  resume(): void {
    this.#stream.resume()
  }

  close(): void {
    this.#waiting.length = 0
    this.#stream.close()
  }

  #create(request: WatchCreateRequest): void {
    this.#isFinding = true
    this.#findCaller((error, caller) => {
      this.#isFinding = false
      const refusal = error ?? (caller && this.#refusal(caller, request))
      if (refusal === undefined) this.#stream.create(request)
      else this.#stream.refuse(goErrorText(refusal))
      while (!this.#isFinding) {
        const next = this.#waiting.shift()
        if (next === undefined) return
        next()
      }
    })
  }

  #refusal(caller: Caller, request: WatchCreateRequest): KvError | undefined {
    try {
      const key = request.key.length === 0 ? smallestKey : request.key
      this.#permits.range(caller, { key, rangeEnd: request.rangeEnd })
      return undefined
    } catch (reason) {
      return KvError.from(reason)
    }
  }

  #inTurn(run: () => void): void {
    if (!this.#isFinding) run()
    else if (this.#waiting.length < waitingMax) this.#waiting.push(run)
    else throw new KvError('TOO_MANY_REQUESTS')
  }
}

const statusNames: Readonly<Partial<Record<KvError['grpcStatus'], string>>> = {
  [grpcStatus.invalidArgument]: 'InvalidArgument',
  [grpcStatus.permissionDenied]: 'PermissionDenied',
  [grpcStatus.unauthenticated]: 'Unauthenticated',
  [grpcStatus.resourceExhausted]: 'ResourceExhausted',
}

/** As Go's gRPC prints a status: clients look for parts of it. */
function goErrorText(error: KvError): string {
  const code = statusNames[error.grpcStatus] ?? 'Unknown'
  return `rpc error: code = ${code} desc = ${error.message}`
}
