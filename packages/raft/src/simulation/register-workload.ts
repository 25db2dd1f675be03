// Clients of a few registers: they read, write and compare-and-swap, and every value is written once, so that an answer tells where it is from.
import type { Profile } from './profile.ts'
import {
  encodeRegisterRequest,
  RegisterHome,
  type RegisterMachine,
  type RegisterRequest,
} from './register-machine.ts'
import type { SeededRandom } from './random.ts'
import type { Application, Specification, Workload } from './workload.ts'

/** Of the requests that are no reads. */
const swapRate = 0.3
/** Of the swaps; the others expect what was seen last, and fail only if somebody else was faster. */
const blindSwapRate = 0.1

export const registerSpecification: Specification<RegisterRequest, number, number> = {
  initial: 0,
  step: (state, request) => {
    const isWritten =
      request.type === 'put' || (request.type === 'swap' && request.expected === state)
    return { state: isWritten ? request.value : state, output: state }
  },
  partOf: ({ key }) => `register ${key}`,
}

export class RegisterWorkload implements Workload<
  RegisterRequest,
  number,
  number,
  RegisterMachine
> {
  readonly specification: Specification<RegisterRequest, number, number> = registerSpecification
  readonly #keyCount: number
  readonly #readRate: number
  readonly #seen = new Map<number, number>()
  #lastValue = 0

  constructor(options: Pick<Profile, 'keyCount' | 'readRate'>) {
    this.#keyCount = options.keyCount
    this.#readRate = options.readRate
  }

  next(_client: number, random: SeededRandom): RegisterRequest {
    const key = random.integer(0, this.#keyCount - 1)
    if (random.chance(this.#readRate)) return { type: 'get', key }
    const value = ++this.#lastValue
    if (!random.chance(swapRate)) return { type: 'put', key, value }
    const isBlind = random.chance(blindSwapRate)
    const expected = isBlind ? random.integer(0, value - 1) : (this.#seen.get(key) ?? 0)
    return { type: 'swap', key, value, expected }
  }

  command(request: RegisterRequest): Uint8Array | undefined {
    return request.type === 'get' ? undefined : encodeRegisterRequest(request)
  }

  read(machine: RegisterMachine, { key }: RegisterRequest): number {
    return machine.value(key)
  }

  answered(request: RegisterRequest, before: number): void {
    this.#seen.set(request.key, registerSpecification.step(before, request).state)
  }
}

export function registerApplication(profile: Profile): Application {
  const { hasDurableState: isDurable, ballastChunks } = profile
  return {
    workload: new RegisterWorkload(profile),
    home: (_id, random) => new RegisterHome({ random, isDurable, ballastChunks }),
  }
}
