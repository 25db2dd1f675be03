// All areas, in the order they run: later ones use what earlier ones made.
import type { Command } from '../command.ts'
import { access } from './access.ts'
import { changing } from './changing.ts'
import { custom } from './custom.ts'
import { deleting } from './deleting.ts'
import { nodes } from './nodes.ts'
import { reading } from './reading.ts'
import { streams } from './streams.ts'
import { workloads } from './workloads.ts'
import { writing } from './writing.ts'

export const areas: Readonly<Record<string, readonly Command[]>> = {
  reading,
  writing,
  changing,
  streams,
  nodes,
  access,
  workloads,
  custom,
  deleting,
}
