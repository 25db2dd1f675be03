// Pods for the tests of the scheduler.
import { podOf } from '../../controllers/testing/objects.ts'
import type { ObjectMeta, Stored } from '../../resources/object.ts'
import type { PodSpec } from '../../resources/pod-spec/pod-spec.ts'
import type { Pod } from '../../resources/pod.ts'

export const containerOf = (
  requests: Record<string, string> = {},
): PodSpec['containers'][number] => ({
  name: 'c',
  image: 'i',
  resources: { requests },
})

/** Waits for a node. */
export const pendingPod = (
  name = 'p',
  spec: Partial<PodSpec> = {},
  metadata: Partial<ObjectMeta> = {},
): Stored<Pod> =>
  podOf(name, {
    spec: { nodeName: '', containers: [containerOf()], ...spec },
    status: { phase: 'Pending' },
    metadata,
  })

/** Runs on `nodeName`. */
export const placedPod = (
  name: string,
  nodeName: string,
  spec: Partial<PodSpec> = {},
  metadata: Partial<ObjectMeta> = {},
): Stored<Pod> =>
  podOf(name, {
    spec: { containers: [containerOf()], ...spec, nodeName },
    status: { phase: 'Running', startTime: '2026-01-01T00:00:00Z' },
    metadata,
  })
