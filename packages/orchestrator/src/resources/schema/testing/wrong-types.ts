// Deployments with one field of the wrong type. Balsa's tests and kubectl, which has Go's own decoder, judge by the same list.
import type { Json } from '../../object.ts'

const inTemplate = (spec: Json): Json => ({ spec: { template: { spec } } })

/** A Deployment with one thing wrong, and Go's words for it. */
export const wrongTypes: [Json, string][] = [
  [
    { spec: { replicas: '3' } },
    'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
  ],
  [
    { spec: { replicas: 3_000_000_000 } },
    'json: cannot unmarshal number 3000000000 into Go struct field DeploymentSpec.spec.replicas of type int32',
  ],
  [
    { spec: { replicas: 1.5 } },
    'json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32',
  ],
  [
    { spec: [] },
    'json: cannot unmarshal array into Go struct field Deployment.spec of type v1.DeploymentSpec',
  ],
  [
    { metadata: { labels: { a: 1 } } },
    'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string',
  ],
  [
    { metadata: { labels: 'x' } },
    'json: cannot unmarshal string into Go struct field ObjectMeta.metadata.labels of type map[string]string',
  ],
  [
    { metadata: { creationTimestamp: 5 } },
    'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.creationTimestamp of type string',
  ],
  [
    { metadata: { creationTimestamp: 'now' } },
    'parsing time "now" as "2006-01-02T15:04:05Z07:00": cannot parse "now" as "2006"',
  ],
  [
    { metadata: { ownerReferences: [{ controller: 1 }] } },
    'json: cannot unmarshal number into Go struct field OwnerReference.metadata.ownerReferences.controller of type bool',
  ],
  [
    { spec: { strategy: { rollingUpdate: { maxSurge: true } } } },
    'json: cannot unmarshal bool into Go struct field RollingUpdateDeployment.spec.strategy.rollingUpdate.maxSurge of type int32',
  ],
  [
    inTemplate({ containers: {} }),
    'json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container',
  ],
  [
    inTemplate({ containers: [7] }),
    'json: cannot unmarshal number into Go struct field PodSpec.spec.template.spec.containers of type v1.Container',
  ],
  [
    inTemplate({ containers: [{ command: 'x' }] }),
    'json: cannot unmarshal string into Go struct field Container.spec.template.spec.containers.command of type []string',
  ],
  [
    inTemplate({ containers: [{ ports: [{ containerPort: 'x' }] }] }),
    'json: cannot unmarshal string into Go struct field ContainerPort.spec.template.spec.containers.ports.containerPort of type int32',
  ],
  [
    inTemplate({ hostNetwork: 'yes' }),
    'json: cannot unmarshal string into Go struct field PodSpec.spec.template.spec.hostNetwork of type bool',
  ],
  [
    inTemplate({ containers: [{ resources: { limits: { cpu: 'lots' } } }] }),
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  ],
  [
    inTemplate({ containers: [{ resources: { limits: { cpu: true } } }] }),
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  ],
]
