// The kubeconfig text that lets kubectl in: one cluster, one user with a client certificate, everything embedded. Written without the YAML
// library: a start needs no other YAML.
import type { KeyPair } from './certificates.ts'

const name = 'balsa'
const user = 'balsa-admin'

export const kubeconfigText = (options: {
  readonly url: string
  readonly ca: string
  readonly client: KeyPair
}): string => `apiVersion: v1
kind: Config
clusters:
  - name: ${name}
    cluster:
      server: ${urlScalar(options.url)}
      certificate-authority-data: ${base64(options.ca)}
users:
  - name: ${user}
    user:
      client-certificate-data: ${base64(options.client.certificate)}
      client-key-data: ${base64(options.client.key)}
contexts:
  - name: ${name}
    context:
      cluster: ${name}
      user: ${user}
current-context: ${name}
preferences: {}
`

/** Of a cluster alone: where it is and whom to trust there. */
export const clusterKubeconfigText = (url: string, ca: string): string => `apiVersion: v1
kind: Config
clusters:
  - name: ""
    cluster:
      server: ${urlScalar(url)}
      certificate-authority-data: ${base64(ca)}
contexts: []
current-context: ""
preferences: {}
users: []
`

/** Plain, as people look for it, unless it has what YAML could read otherwise. */
const urlScalar = (url: string): string => (/^[\w.:/[\]-]+$/.test(url) ? url : JSON.stringify(url))

const base64 = (text: string): string => Buffer.from(text).toString('base64')
