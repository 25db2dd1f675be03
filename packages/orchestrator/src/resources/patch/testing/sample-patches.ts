// A Deployment and strategic merge patches to it, one for each thing such a patch can do.
import type { Json } from '../../object.ts'

export const deployment: Json = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'd', finalizers: ['a/x', 'b/y'], labels: { a: '1', b: '2' } },
  spec: {
    selector: { matchLabels: { a: '1' } },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } },
    template: {
      metadata: { labels: { a: '1' } },
      spec: {
        containers: [
          {
            name: 'a',
            image: 'x',
            env: [
              { name: 'P', value: '1' },
              { name: 'Q', value: '2' },
            ],
            ports: [{ containerPort: 80 }, { containerPort: 81 }],
            args: ['u', 'v'],
          },
          { name: 'b', image: 'why' },
        ],
        tolerations: [{ key: 'k', operator: 'Exists' }],
        volumes: [{ name: 'v', emptyDir: {} }],
      },
    },
  },
}

/** A patch of the pod's spec. */
export const inPodSpec = (spec: Json): Json => ({ spec: { template: { spec } } })

/** Each name says what must happen; kubectl, which has upstream's own code, judges the result. */
export const samplePatches: [string, Json][] = [
  [
    'a new element comes before the old ones',
    inPodSpec({ containers: [{ name: 'c', image: 'z' }] }),
  ],
  [
    'elements are deleted, changed and ordered',
    inPodSpec({
      containers: [
        { name: 'b', $patch: 'delete' },
        {
          name: 'a',
          image: null,
          env: [{ name: 'R', value: '3' }],
          ports: [{ containerPort: 81, name: 'n' }],
        },
      ],
      '$setElementOrder/containers': [{ name: 'a' }],
    }),
  ],
  [
    'sets of text lose and gain, maps are replaced',
    {
      metadata: {
        finalizers: ['c/z'],
        '$deleteFromPrimitiveList/finalizers': ['a/x'],
        labels: { $patch: 'replace', z: '1' },
      },
    },
  ],
  [
    'only the retained keys stay',
    { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } },
  ],
  [
    'a volume changes its source, and lists without a key are replaced',
    inPodSpec({
      volumes: [{ name: 'v', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/x' } }],
      tolerations: [{ key: 'z' }],
    }),
  ],
  [
    'a list is replaced as a whole',
    inPodSpec({ containers: [{ $patch: 'replace' }, { name: 'n', image: 'i' }] }),
  ],
  [
    'order alone',
    inPodSpec({
      '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }],
      containers: [{ name: 'a' }],
    }),
  ],
  [
    'order with elements that only the server has',
    inPodSpec({
      '$setElementOrder/containers': [{ name: 'n' }, { name: 'b' }],
      containers: [{ name: 'n', image: 'i' }],
    }),
  ],
  ['null where nothing is', inPodSpec({ nodeName: null, nodeSelector: { x: null, y: 'z' } })],
  ['a map deleted by directive', { metadata: { labels: { $patch: 'delete' } } }],
]
