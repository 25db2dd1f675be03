// A process of its own does not inherit the loader that reads TypeScript: this file brings it along.
import { register } from 'tsx/esm/api'

register()
await import('./bare-follower.ts')
