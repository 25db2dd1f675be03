import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ApiError } from '../../client/api-client.ts'
import { decodeProtobuf } from './decode-protobuf.ts'

// Bodies as kubectl 1.33 sends them.
const deploymentBody =
  'azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50EroBCh8KA3dlYhIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEogBCAASDAoKCgNhcHASA3dlYhpuChwKABIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEk4SMAoFbmdpbngSB25naW54OjEqADIKCgAQABhQIgAqAEIAagByAIABAIgBAJABAKIBABoAMgBCAEoAUgBYAGAAaACCAQCKAQCaAQDCAQAiAgoAKAA4ABoMCAAQABgAIAAoADgAGgAiAA=='
const secretBody = 'azhzAAoMCgJ2MRIGU2VjcmV0Eh0KEQoBcxIAGgAiACoAMgA4AEIAEgYKAXASAXEaABoAIgA='
const serviceBody =
  'azhzAAoNCgJ2MRIHU2VydmljZRJsCh8KA3N2YxIAGgAiACoAMgA4AEIAWgoKA2FwcBIDc3ZjEkUKHgoHODAtaHR0cBIDVENQGFAiCggBEAAaBGh0dHAoABIKCgNhcHASA3N2YxoAIglDbHVzdGVySVA6AEIAUgBaAGAAaAAaAgoAGgAiAA=='

const varint = (value: number): number[] =>
  value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))]
const bytes = (field: number, value: Uint8Array | string): Buffer => {
  const content = Buffer.from(value)
  return Buffer.concat([
    Buffer.from([...varint(field * 8 + 2), ...varint(content.length)]),
    content,
  ])
}
const number = (field: number, value: number): Buffer =>
  Buffer.from([...varint(field * 8), ...varint(value)])
const body = (apiVersion: string, kind: string, ...fields: Buffer[]): Buffer =>
  Buffer.concat([
    Buffer.from('k8s\u0000'),
    bytes(1, Buffer.concat([bytes(1, apiVersion), bytes(2, kind)])),
    bytes(2, Buffer.concat(fields)),
  ])

test('a Deployment as kubectl sends it: zero counts where a pointer was set, else it is left out', () => {
  expect(decodeProtobuf(Buffer.from(deploymentBody, 'base64'))).toEqual({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', labels: { app: 'web' } },
    spec: {
      replicas: 0,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          containers: [
            { name: 'nginx', image: 'nginx:1', resources: {}, ports: [{ containerPort: 80 }] },
          ],
        },
      },
      strategy: {},
    },
    status: {},
  })
})

test('bytes become base64, and a port may be a name', () => {
  expect(decodeProtobuf(Buffer.from(secretBody, 'base64'))).toMatchObject({
    kind: 'Secret',
    data: { p: 'cQ==' },
  })
  expect(decodeProtobuf(Buffer.from(serviceBody, 'base64'))).toMatchObject({
    kind: 'Service',
    spec: {
      ports: [{ name: '80-http', protocol: 'TCP', port: 80, targetPort: 'http' }],
      type: 'ClusterIP',
    },
  })
})

test('quantities, times, inline messages, negative numbers and raw JSON have the form they have in JSON', () => {
  const limits = bytes(1, Buffer.concat([bytes(1, 'cpu'), bytes(2, bytes(1, '500m'))]))
  const selector = Buffer.concat([bytes(1, bytes(1, 'sec')), bytes(2, 'key')])
  const env = bytes(7, Buffer.concat([bytes(1, 'E'), bytes(3, bytes(4, selector))]))
  const container = Buffer.concat([bytes(1, 'c'), bytes(8, limits), env])
  const volume = Buffer.concat([bytes(1, 'v'), bytes(2, bytes(2, Buffer.alloc(0)))])
  const managed = Buffer.concat([bytes(1, 'm'), bytes(7, bytes(1, '{"f:a":{}}'))])
  const created = number(1, 1_700_000_000)
  const grace = Buffer.from([0x20, ...Array.from({ length: 9 }, () => 0xff), 0x01])
  const pod = body(
    'v1',
    'Pod',
    bytes(1, Buffer.concat([bytes(1, 'p'), bytes(8, created), bytes(17, managed)])),
    bytes(2, Buffer.concat([bytes(1, volume), bytes(2, container), grace])),
  )
  expect(decodeProtobuf(pod)).toEqual({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'p',
      creationTimestamp: '2023-11-14T22:13:20Z',
      managedFields: [{ manager: 'm', fieldsV1: { 'f:a': {} } }],
    },
    spec: {
      volumes: [{ name: 'v', emptyDir: {} }],
      containers: [
        {
          name: 'c',
          resources: { limits: { cpu: '500m' } },
          env: [{ name: 'E', valueFrom: { secretKeyRef: { name: 'sec', key: 'key' } } }],
        },
      ],
      terminationGracePeriodSeconds: -1,
    },
  })
})

test('what is no such message is a BadRequest', () => {
  const refused = (bytesOf: Buffer): string => {
    try {
      decodeProtobuf(bytesOf)
    } catch (reason) {
      if (reason instanceof ApiError && reason.code === 400) return reason.message
      throw reason
    }
    return 'decoded'
  }
  expect(refused(Buffer.from('{}'))).toContain('expected prefix [107 56 115 0]')
  expect(refused(body('v1', 'Nothing'))).toContain('no kind "Nothing" is registered')
  expect(refused(body('v1', 'Pod', Buffer.from([0x0a, 0x7f])))).toBe('proto: unexpected EOF')
  expect(refused(body('v1', 'Pod', Buffer.from([0x08, 0x01])))).toContain('wrong wireType')
  expect(refused(body('v1', 'Pod', Buffer.alloc(11, 0xff)))).toBe('proto: integer overflow')
})

test('damaged bodies decode or are refused, nothing else', () => {
  const samples = [deploymentBody, secretBody, serviceBody].map((text) =>
    Buffer.from(text, 'base64'),
  )
  const seed = Date.now()
  fc.assert(
    fc.property(
      fc.constantFrom(...samples),
      fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 8 }),
      fc.nat(400),
      (sample, changes, length) => {
        const damaged = Buffer.from(sample.subarray(0, Math.max(5, length)))
        for (const [index, byte] of changes) {
          if (index >= 4 && index < damaged.length) damaged[index] = byte
        }
        try {
          JSON.stringify(decodeProtobuf(damaged))
        } catch (reason) {
          expect(reason).toMatchObject({ name: 'ApiError', code: 400 })
        }
      },
    ),
    { seed, numRuns: 2000 },
  )
})
