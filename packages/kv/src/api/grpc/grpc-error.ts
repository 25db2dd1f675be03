// A call that failed for a reason of the wire, not of the store: status and message go out as they are.
import { AssertionError } from '@balsa/raft/assert'
import { KvError } from '../../errors.ts'
import type { GrpcStatus } from '../../errors.ts'

export class GrpcError extends Error {
  override readonly name = 'GrpcError'
  readonly grpcStatus: GrpcStatus

  constructor(status: GrpcStatus, message: string) {
    super(message)
    this.grpcStatus = status
  }

  /** Whatever a method threw, as what the client is told. A broken invariant is not for the client: it is thrown on. */
  static from(reason: unknown): GrpcError | KvError {
    if (reason instanceof AssertionError) throw reason
    return reason instanceof GrpcError ? reason : KvError.from(reason)
  }
}
