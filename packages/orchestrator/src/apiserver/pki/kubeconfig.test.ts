import { expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { clusterKubeconfigText, kubeconfigText } from './kubeconfig.ts'

const ca = `-----BEGIN CERTIFICATE-----\n${'QUJD'.repeat(400)}\n-----END CERTIFICATE-----\n`
const client = { certificate: ca.replaceAll('QUJD', 'REVG'), key: 'a key\n' }

test.each(['https://127.0.0.1:6443', 'https://[::1]:6443', 'https://a-b.example:1/c/d'])(
  'what is written for %s is what a YAML library would write',
  (url) => {
    for (const text of [kubeconfigText({ url, ca, client }), clusterKubeconfigText(url, ca)]) {
      expect(text).toBe(stringify(parse(text)))
      expect(parse(text)).toMatchObject({
        kind: 'Config',
        clusters: [
          {
            cluster: {
              server: url,
              'certificate-authority-data': Buffer.from(ca).toString('base64'),
            },
          },
        ],
      })
    }
  },
)

test('a URL cannot become another part of the file', () => {
  const url = 'https://example/ # "no\n    insecure-skip-tls-verify: true'
  const text = kubeconfigText({ url, ca, client })
  expect(parse(text)).toMatchObject({ clusters: [{ cluster: { server: url } }] })
  expect(text).not.toMatch(/^ *insecure/m)
})
