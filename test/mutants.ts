// The bug zoo: wrong changes to the core, the WAL and the shell, each small and of a kind that real systems have shipped. They exist only with the
// tests; the simulator must notice every one within the seeds that the right code passes.
import type { Mutant } from './mutant.ts'
import { consensusMutants } from './mutants-consensus.ts'
import { membershipMutants } from './mutants-membership.ts'
import { replicationMutants } from './mutants-replication.ts'
import { shellMutants } from './mutants-shell.ts'
import { storageMutants } from './mutants-storage.ts'

export const mutants: readonly Mutant[] = [
  ...consensusMutants,
  ...replicationMutants,
  ...membershipMutants,
  ...storageMutants,
  ...shellMutants,
]
