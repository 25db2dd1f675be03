// How a machine that joins learns which authority to trust: it asks the server, whom it does not know yet, and believes an answer whose
// hash it was given.
import { certificateKeyHash } from '../../apiserver/pki/ca-hash.ts'
import { clusterInfoKey, clusterInfoName } from '../../apiserver/registry/cluster-info.ts'
import { HttpApiClient } from '../../client/http-api-client.ts'
import { HttpTransport } from '../../client/http-transport.ts'
import { isApiError } from '../../client/is-api-error.ts'
import { yaml } from '../../client/yaml.ts'
import { configMapType, type ConfigMap } from '../../resources/config-map.ts'

/** PEM. Rejects with an Error that names the flag to correct, or with what the client threw. */
export const discoverAuthority = async (
  url: string,
  hashes: readonly string[],
): Promise<string> => {
  const transport = new HttpTransport({ url, skipTlsVerify: true })
  try {
    const client = new HttpApiClient(transport)
    const { namespace, name } = clusterInfoName
    const { data } = await client.get<ConfigMap>(configMapType, namespace, name)
    const authority = authorityOf(data?.[clusterInfoKey] ?? '')
    if (authority === undefined) throw new Error(`${url} does not say what its authority is`)
    // Of several only those that were named: whoever sits between could have added his own to the right one.
    const trusted = certificatesOf(authority).filter((pem) =>
      hashes.includes(certificateKeyHash(pem)),
    )
    if (trusted.length > 0) return `${trusted.join('\n')}\n`
    throw new Error(
      `--ca-cert-hash: the authority of ${url} is another (${certificateKeyHash(authority)}): is it the right server?`,
    )
  } catch (reason) {
    if (!isApiError(reason, 401, 403, 404)) throw reason
    throw new Error(`${url} does not tell strangers its authority: use --ca-cert FILE`, {
      cause: reason,
    })
  } finally {
    transport.close()
  }
}

const certificatesOf = (pem: string): readonly string[] =>
  pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []

const authorityOf = (kubeconfig: string): string | undefined => {
  const document = yaml().parse(kubeconfig) as {
    readonly clusters?: readonly {
      readonly cluster?: { readonly 'certificate-authority-data'?: unknown }
    }[]
  } | null
  const data = document?.clusters?.[0]?.cluster?.['certificate-authority-data']
  return typeof data === 'string' ? Buffer.from(data, 'base64').toString('utf8') : undefined
}
