// Every namespace has the service account `default`, and the certificate by which its pods know the apiserver.
import { configMapType, type ConfigMap } from '../resources/config-map.ts'
import type { Namespace } from '../resources/namespace.ts'
import type { Stored } from '../resources/object.ts'
import { serviceAccountType, type ServiceAccount } from '../resources/service-account.ts'
import { nothing, type Reconciliation } from './action.ts'

export const rootCertificateName = 'kube-root-ca.crt'

const isEnding = ({ metadata }: Stored<Namespace>): boolean =>
  metadata.deletionTimestamp !== undefined

export function reconcileServiceAccounts(view: {
  readonly namespace: Stored<Namespace> | undefined
  readonly hasDefault: boolean
}): Reconciliation {
  const { namespace, hasDefault } = view
  if (namespace === undefined || isEnding(namespace) || hasDefault) return nothing
  const object: ServiceAccount = {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default', namespace: namespace.metadata.name },
  }
  return { actions: [{ type: 'create', ref: serviceAccountType, object }] }
}

/** `certificate`: PEM. */
export function reconcileRootCertificate(view: {
  readonly namespace: Stored<Namespace> | undefined
  readonly configMap: Stored<ConfigMap> | undefined
  readonly certificate: string
}): Reconciliation {
  const { namespace, configMap, certificate } = view
  if (namespace === undefined || isEnding(namespace)) return nothing
  const data = { 'ca.crt': certificate }
  if (configMap === undefined) {
    const object: ConfigMap = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: rootCertificateName,
        namespace: namespace.metadata.name,
        annotations: {
          'kubernetes.io/description':
            'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc.',
        },
      },
      data,
    }
    return { actions: [{ type: 'create', ref: configMapType, object }] }
  }
  if (configMap.data?.['ca.crt'] === certificate && Object.keys(configMap.data).length === 1) {
    return nothing
  }
  const object: ConfigMap = { ...configMap, data }
  return { actions: [{ type: 'update', ref: configMapType, object }] }
}
