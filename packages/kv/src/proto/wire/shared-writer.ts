// The one writer of the process. Encoders are synchronous and never call each other between begin() and finish().
import { WireWriter } from './wire-writer.ts'

export const sharedWriter: WireWriter = new WireWriter()
