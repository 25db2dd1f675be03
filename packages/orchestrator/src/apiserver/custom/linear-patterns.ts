// Patterns of users against texts of users: upstream's take linear time, V8's may go back for years and hold up the whole process meanwhile.
// V8 has a linear search too, which it falls back to where it is told to.
import { setFlagsFromString } from 'node:v8'

let isDone = false

/** For patterns that are compiled from now on. Those with the flags `u` or `i` it does not help. */
export const searchInLinearTime = (): void => {
  if (isDone) return
  isDone = true
  setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks')
}
