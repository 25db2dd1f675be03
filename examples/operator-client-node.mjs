// The operator of operator.mjs with the official client, @kubernetes/client-node: its informers, its server-side apply.
//   npm install @kubernetes/client-node; KUBECONFIG=.balsa/kubeconfig node examples/operator-client-node.mjs
import * as k8s from '@kubernetes/client-node'
import { childrenOf, websiteDefinition } from './website.mjs'

const config = new k8s.KubeConfig()
config.loadFromDefault()
const objects = k8s.KubernetesObjectApi.makeApiClient(config)
const apps = config.makeApiClient(k8s.AppsV1Api)
const custom = config.makeApiClient(k8s.CustomObjectsApi)
const names = { group: 'example.com', version: 'v1', plural: 'websites' }
const manager = 'website-operator'
const { ServerSideApply, MergePatch } = k8s.PatchStrategy
const apply = (object) =>
  objects.patch(object, undefined, undefined, manager, true, ServerSideApply)

await apply(websiteDefinition)
const websites = k8s.makeInformer(config, '/apis/example.com/v1/websites', () =>
  custom.listClusterCustomObject(names),
)
const deployments = k8s.makeInformer(config, '/apis/apps/v1/deployments', () =>
  apps.listDeploymentForAllNamespaces(),
)

const reconcile = async (website) => {
  if (website === undefined) return
  const { deployment, service } = childrenOf(website)
  const { status } = await apply(deployment)
  await apply(service)
  const readyReplicas = status?.readyReplicas ?? 0
  if (website.status?.readyReplicas === readyReplicas) return
  const { name, namespace } = website.metadata
  await custom.patchNamespacedCustomObjectStatus(
    { ...names, namespace, name, body: { status: { readyReplicas } } },
    k8s.setHeaderOptions('Content-Type', MergePatch),
  )
  console.log(`${namespace}/${name}: ${readyReplicas} ready`)
}

// One after the other; what is reconciled is what the cache holds then.
let turn = Promise.resolve()
const reconcileSoon = (name, namespace) => {
  turn = turn
    .then(() => reconcile(websites.get(name, namespace)))
    .catch((error) => {
      console.error(name, error.message)
      setTimeout(reconcileSoon, 1000, name, namespace)
    })
}
websites.on('change', ({ metadata }) => reconcileSoon(metadata.name, metadata.namespace))
deployments.on('change', ({ metadata }) => {
  const name = metadata.labels?.website
  if (name !== undefined) reconcileSoon(name, metadata.namespace)
})
for (const informer of [websites, deployments]) {
  const start = () => {
    informer.start().catch(() => setTimeout(start, 200))
  }
  informer.on('error', () => setTimeout(start, 200))
  start()
}
console.log('operator is running')
