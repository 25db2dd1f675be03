// What the node of this machine is called unless somebody says otherwise.
import { hostname } from 'node:os'

/** The machine's own name, as a Node may be called. */
export const machineName = (): string =>
  hostname()
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]/g, '-')
