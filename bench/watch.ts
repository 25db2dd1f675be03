// How many events a second reach 1,000 watchers of one prefix. Every watcher must get every event.
import { measure } from './question.ts'
import type { Question } from './question.ts'

export const watch: Question = {
  name: 'watch',
  members: [1],
  run: async (bench) => [
    await measure(bench, 'watch, 1000 watchers of a prefix', 'events/s', (_cluster, url, run) => ({
      wire: 'watch',
      url,
      connections: 10,
      watchers: 1000,
      prefix: `bench/watch/${run}/`,
      puts: 1000,
      putsInFlight: 16,
      valueSizeBytes: 256,
    })),
  ],
}
