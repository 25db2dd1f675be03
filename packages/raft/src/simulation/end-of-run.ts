// The states of members that agree, and of a state machine that was given the whole log and nothing else, as texts to compare.
import type { NodeId } from '../core/types.ts'
import type { StateMachine } from '../node/types.ts'
import type { AppliedEntry, EndOfRun } from './checkers/checker.ts'
import { SeededRandom } from './random.ts'
import { SimDisk } from './sim-disk.ts'
import { SimFileSystem } from './sim-file-system.ts'
import type { Application } from './workload.ts'

async function stateOf(machine: StateMachine<unknown>): Promise<string> {
  const snapshot = machine.snapshot()
  try {
    const chunks: Uint8Array[] = []
    for await (const chunk of snapshot.chunks()) chunks.push(chunk)
    return Buffer.concat(chunks).toString('latin1')
  } finally {
    snapshot.release()
  }
}

export async function endOfRun(
  application: Application,
  machines: ReadonlyMap<NodeId, StateMachine<unknown>>,
  log: readonly AppliedEntry[],
): Promise<EndOfRun> {
  const states = new Map<NodeId, string>()
  for (const [id, machine] of machines) states.set(id, await stateOf(machine))
  const random = new SeededRandom(0)
  const id = 'replay' as NodeId
  const fileSystem = new SimFileSystem(new SimDisk(random))
  const machine = await application.home(id, random).open({ id, fileSystem })
  for (const entry of log) machine.apply(entry)
  return { states, replayed: await stateOf(machine) }
}
