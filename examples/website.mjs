// What a Website is, and what one is made of: pure, so that any client can keep it so.
const schema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      required: ['domain'],
      properties: {
        domain: { type: 'string', minLength: 1 },
        replicas: { type: 'integer', minimum: 0, default: 1 },
      },
    },
    status: { type: 'object', properties: { readyReplicas: { type: 'integer' } } },
  },
}

export const websiteDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'websites.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { kind: 'Website', plural: 'websites', singular: 'website', shortNames: ['web'] },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: schema },
        subresources: {
          status: {},
          scale: {
            specReplicasPath: '.spec.replicas',
            statusReplicasPath: '.status.readyReplicas',
          },
        },
        additionalPrinterColumns: [
          { name: 'Domain', type: 'string', jsonPath: '.spec.domain' },
          { name: 'Ready', type: 'integer', jsonPath: '.status.readyReplicas' },
        ],
      },
    ],
  },
}

const server = `require('http').createServer((_, answer) => answer.end(process.env.DOMAIN + '\\n'))
  .listen(8080, process.env.BALSA_POD_IP)`

/** Its Deployment and its Service, deleted with it. */
export const childrenOf = ({ apiVersion, kind, metadata, spec }) => {
  const { name, namespace, uid } = metadata
  const labels = { website: name }
  const child = {
    name,
    namespace,
    labels,
    ownerReferences: [{ apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }],
  }
  const env = [{ name: 'DOMAIN', value: spec.domain }]
  const command = ['node', '-e', server]
  return {
    deployment: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: child,
      spec: {
        replicas: spec.replicas,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: { containers: [{ name: 'web', image: 'node', command, env }] },
        },
      },
    },
    service: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: child,
      spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
    },
  }
}
