// An operator in one file: each Website (see website.yaml) becomes a Deployment and a Service that belong to it.
//   KUBECONFIG=.balsa/kubeconfig node examples/operator.mjs
import { connectApi, hasCondition, startController, waitFor } from '@balsa/orchestrator/client'
import { childrenOf, websiteDefinition as definition } from './website.mjs'

const api = connectApi()
const kind = (group, version, plural) => api.resource({ group, version, plural })
const definitions = kind('apiextensions.k8s.io', 'v1', 'customresourcedefinitions')
const websites = kind('example.com', 'v1', 'websites')
const deployments = kind('apps', 'v1', 'deployments')
const services = kind('', 'v1', 'services')
const owner = { fieldManager: 'website-operator', force: true }

await definitions.apply(definition, owner)
const isServed = (current) => hasCondition(current, 'Established')
await waitFor(api.client, definitions.ref, definition.metadata, isServed)

const controller = startController({
  client: api.client,
  objects: websites.informer(),
  owned: [{ informer: deployments.informer({ labelSelector: 'website' }) }],
  onError: (error, name) => console.error(name?.name ?? 'operator', error.message),
  reconcile: async (name, website) => {
    if (website === undefined) return // The garbage collector takes what belonged to it.
    const { deployment, service } = childrenOf(website)
    const { status } = await deployments.apply(deployment, owner)
    await services.apply(service, owner)
    const ready = status?.readyReplicas ?? 0
    if (website.status?.readyReplicas === ready) return
    await websites.patchStatus(name, { status: { readyReplicas: ready } })
    console.log(`${name.namespace}/${name.name}: ${ready} ready`)
  },
})
await controller.synced()
console.log('operator is running')
process.once('SIGTERM', () => void controller.close().then(() => api.close()))
