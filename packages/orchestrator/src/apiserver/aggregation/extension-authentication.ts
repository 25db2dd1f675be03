// The ConfigMap by which servers behind this one know whom to believe: the authority of clients, and that of the front proxy with the
// headers in which it names a user.
import type { ApiClient } from '../../client/api-client.ts'
import { createUnlessThere } from '../../client/create-unless-there.ts'
import { isApiError } from '../../client/is-api-error.ts'
import { jsonEqual } from '../../resources/json-equal.ts'
import type { KubeObject } from '../../resources/object.ts'
import { type Certificates, frontProxyUser } from '../pki/certificates.ts'
import { extraHeaderPrefix, groupHeader, uidHeader, userHeader } from './proxy-identity.ts'

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>
}

const configMaps = { group: '', version: 'v1', plural: 'configmaps' }
const place = { namespace: 'kube-system', name: 'extension-apiserver-authentication' }

/** Of one kind: each server that shares the store may have its own. */
const authoritiesMax = 8

/** Authorities of other servers stay. */
export const publishExtensionAuthentication = async (
  client: ApiClient,
  certificates: Certificates,
): Promise<void> => {
  const frontProxy = await certificates.frontProxy()
  const wanted = (before: ConfigMap['data'] = {}): ConfigMap['data'] => ({
    ...before,
    'client-ca-file': withAuthority(before['client-ca-file'], certificates.ca.certificate),
    'requestheader-client-ca-file': withAuthority(
      before['requestheader-client-ca-file'],
      frontProxy.ca.certificate,
    ),
    'requestheader-allowed-names': JSON.stringify([frontProxyUser]),
    'requestheader-username-headers': JSON.stringify([userHeader]),
    'requestheader-uid-headers': JSON.stringify([uidHeader]),
    'requestheader-group-headers': JSON.stringify([groupHeader]),
    'requestheader-extra-headers-prefix': JSON.stringify([extraHeaderPrefix]),
  })
  try {
    const current = await client.get<ConfigMap>(configMaps, place.namespace, place.name)
    const data = wanted(current.data)
    if (!jsonEqual(data, current.data)) {
      await client.update<ConfigMap>(configMaps, withData(current, data))
    }
  } catch (reason) {
    // Another server that starts at the same time writes the same.
    if (isApiError(reason, 409)) return
    if (!isApiError(reason, 404)) throw reason
    const empty: ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: place }
    await createUnlessThere(client, configMaps, withData(empty, wanted()))
  }
}

const withData = (object: ConfigMap, data: ConfigMap['data']): ConfigMap =>
  data === undefined ? object : { ...object, data }

/** `pem` first, then the others that were there. */
const withAuthority = (before = '', pem: string): string => {
  const blocks: string[] =
    before.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  const own = pem.trim()
  if (blocks.includes(own)) return before
  return `${[own, ...blocks].slice(0, authoritiesMax).join('\n')}\n`
}
