// The kubeconfig text that lets kubectl in: one cluster, one user with a client certificate, everything embedded.
import { stringify } from 'yaml'
import type { KeyPair } from './certificates.ts'

const name = 'balsa'
const user = 'balsa-admin'

export const kubeconfigText = (options: {
  readonly url: string
  readonly ca: string
  readonly client: KeyPair
}): string =>
  stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name,
        cluster: { server: options.url, 'certificate-authority-data': base64(options.ca) },
      },
    ],
    users: [
      {
        name: user,
        user: {
          'client-certificate-data': base64(options.client.certificate),
          'client-key-data': base64(options.client.key),
        },
      },
    ],
    contexts: [{ name, context: { cluster: name, user } }],
    'current-context': name,
    preferences: {},
  })

const base64 = (text: string): string => Buffer.from(text).toString('base64')
