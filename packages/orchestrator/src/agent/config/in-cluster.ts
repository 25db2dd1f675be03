// What a program needs to call the apiserver as its pod's service account: where the apiserver is, and the account's token. Libraries look for
// the token at a fixed path of the container, which processes of the host do not have; so $KUBECONFIG names a file that says where the
// token is, for whoever does not set that variable themselves.
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Container } from '../../resources/pod-spec/pod-spec.ts'
import type { ApiAddress } from './config-source.ts'

const accountPath = '/var/run/secrets/kubernetes.io/serviceaccount'

/** Names and values; empty where the apiserver's address is not known. */
export async function inClusterEnvironment(
  container: Container,
  api: ApiAddress | undefined,
  { rootDir, namespace }: { readonly rootDir: string; readonly namespace: string },
): Promise<[name: string, value: string][]> {
  if (api === undefined) return []
  const { host, port } = api
  const variables: [string, string][] = [
    ['KUBERNETES_SERVICE_HOST', host],
    ['KUBERNETES_SERVICE_PORT', String(port)],
    ['KUBERNETES_SERVICE_PORT_HTTPS', String(port)],
    ['KUBERNETES_PORT', `tcp://${host}:${port}`],
  ]
  const hasAccount = container.volumeMounts?.some(({ mountPath }) => mountPath === accountPath)
  if (hasAccount !== true) return variables
  const path = join(dirname(rootDir), 'kubeconfig')
  await writeFile(path, accountKubeconfig(api, join(rootDir, accountPath), namespace), {
    mode: 0o600,
  })
  return [...variables, ['KUBECONFIG', path]]
}

/** JSON is YAML. The token is named, not held: it changes. */
const accountKubeconfig = (
  { host, port }: ApiAddress,
  accountDir: string,
  namespace: string,
): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'in-cluster',
        cluster: {
          server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
          'certificate-authority': join(accountDir, 'ca.crt'),
        },
      },
    ],
    users: [{ name: 'service-account', user: { tokenFile: join(accountDir, 'token') } }],
    contexts: [
      {
        name: 'in-cluster',
        context: { cluster: 'in-cluster', user: 'service-account', namespace },
      },
    ],
    'current-context': 'in-cluster',
  })
