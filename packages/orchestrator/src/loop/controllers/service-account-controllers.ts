// What every namespace gets: its default service account and the cluster's certificate.
import { splitKey } from '../../client/object-cache.ts'
import { nothing } from '../../controllers/action.ts'
import {
  reconcileRootCertificate,
  reconcileServiceAccounts,
  rootCertificateName,
} from '../../controllers/service-account.ts'
import { configMapType } from '../../resources/config-map.ts'
import { namespaceType } from '../../resources/namespace.ts'
import { serviceAccountType } from '../../resources/service-account.ts'
import { watchOf } from '../controller-loop.ts'
import { ownKey, type Controller } from '../controller.ts'

const namespaceKey =
  (name: string) =>
  ({ metadata }: { metadata: { name: string; namespace?: string } }): string[] =>
    metadata.name === name && metadata.namespace !== undefined ? [metadata.namespace] : []

export const serviceAccountController: Controller = {
  name: 'service-account-controller',
  connect: ({ informers }) => {
    const namespaces = informers.of(namespaceType)
    const accounts = informers.of(serviceAccountType)
    return {
      watches: [watchOf(namespaces, ownKey), watchOf(accounts, namespaceKey('default'))],
      reconcile: (key) =>
        reconcileServiceAccounts({
          namespace: namespaces.get(splitKey(key).name),
          hasDefault: accounts.get(`${key}/default`) !== undefined,
        }),
    }
  },
}

export const rootCertificatePublisher: Controller = {
  name: 'root-ca-cert-publisher',
  connect: ({ informers, rootCertificate: certificate }) => {
    if (certificate === undefined) return { watches: [], reconcile: () => nothing }
    const namespaces = informers.of(namespaceType)
    const configMaps = informers.of(configMapType)
    return {
      watches: [
        watchOf(namespaces, ownKey),
        watchOf(configMaps, namespaceKey(rootCertificateName)),
      ],
      reconcile: (key) =>
        reconcileRootCertificate({
          namespace: namespaces.get(key),
          configMap: configMaps.get(`${key}/${rootCertificateName}`),
          certificate,
        }),
    }
  },
}
