// The transport of a cluster of one that listens to no peers: nobody is there to talk to.
import type { Transport } from '@balsa/raft'

export const loneTransport: Transport = {
  start: () => Promise.resolve(),
  send: () => undefined,
  sendSnapshot: () => Promise.reject(new Error('There are no peers')),
  setPeers: () => undefined,
  close: () => Promise.resolve(),
}
