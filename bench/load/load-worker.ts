// The generator's thread: runs the plans it is sent, one after the other, so that the servers' answers never wait for the table to be printed.
import { parentPort } from 'node:worker_threads'
import { runGrpcLoad } from './run-grpc-load.ts'
import type { LoadPlan, LoadResult, WatchPlan } from './load-plan.ts'
import { runNativeLoad } from './run-native-load.ts'
import { runWatchLoad } from './run-watch-load.ts'

function run(plan: LoadPlan | WatchPlan): Promise<LoadResult> {
  if (plan.wire === 'watch') return runWatchLoad(plan)
  return plan.wire === 'native' ? runNativeLoad(plan) : runGrpcLoad(plan)
}

parentPort?.on('message', (plan: LoadPlan | WatchPlan) => {
  run(plan).then(
    (result) => parentPort?.postMessage({ result }, []),
    (reason: unknown) => parentPort?.postMessage({ error: String(reason) }, []),
  )
})
