// Creations and deletions of pods with the events that controllers tell of them.
import type { KubeObject, ObjectMeta, Stored } from '../resources/object.ts'
import type { PodTemplateSpec } from '../resources/pod-spec/pod-spec.ts'
import { podType, type Pod } from '../resources/pod.ts'
import { deletionOf, type Action, type Announced } from './action.ts'
import { metadataFrom, regarding } from './owner.ts'

/** `more` goes over what the template says; without a name in it the server makes one up. */
export function podCreation(
  owner: Stored<KubeObject>,
  template: PodTemplateSpec,
  more: Partial<ObjectMeta> = {},
): Action {
  const object: Omit<Pod, 'status'> = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...(more.name === undefined ? { generateName: `${owner.metadata.name}-` } : {}),
      ...metadataFrom(template.metadata, owner),
      ...more,
    },
    spec: template.spec,
  }
  const events = podEvents(owner, 'Create', 'Created pod: NAME', 'Error creating: ERROR')
  return { type: 'create', ref: podType, object, ...events }
}

export function podDeletion(owner: Stored<KubeObject>, pod: Stored<Pod>): Action {
  const events = podEvents(owner, 'Delete', 'Deleted pod: NAME', 'Error deleting: ERROR')
  return deletionOf(podType, pod, events)
}

export const podEvents = (
  owner: Stored<KubeObject>,
  verb: 'Create' | 'Delete' | 'Update',
  done: string,
  failed: string,
): Announced => ({
  done: {
    regarding: regarding(owner),
    type: 'Normal',
    reason: `Successful${verb}`,
    message: done,
  },
  failed: {
    regarding: regarding(owner),
    type: 'Warning',
    reason: `Failed${verb}`,
    message: failed,
  },
})
