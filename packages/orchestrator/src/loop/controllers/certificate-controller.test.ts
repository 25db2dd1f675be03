import { expect, test } from 'vitest'
import { nothing } from '../../controllers/action.ts'
import {
  isToBeSigned,
  reconcileCertificateRequest,
  signerProblem,
  type Subject,
} from '../../controllers/certificate-signing-request.ts'
import {
  type CertificateSigningRequest,
  certificateSigningRequestType,
  hasRequestCondition,
} from '../../resources/certificate-signing-request.ts'
import type { Stored } from '../../resources/object.ts'
import { timestamp } from '../../resources/timestamp.ts'
import { watchOf } from '../controller-loop.ts'
import { type Controller, ownKey } from '../controller.ts'
import { checkControllers } from '../testing/check-controllers.ts'
import type { SimulatedCluster } from '../testing/simulated-cluster.ts'

type Request = Stored<CertificateSigningRequest>
interface Case {
  readonly subject?: Subject
  readonly spec: Omit<CertificateSigningRequest['spec'], 'request'>
  /** Whether it is approved without anybody. */
  readonly isOwn: boolean
  /** Whether it is signed once it is approved; undefined: nobody here does. */
  readonly isGood: boolean | undefined
}

const clientUsages = ['digital signature', 'client auth']
const node: Subject = { commonName: 'system:node:n1', organizations: ['system:nodes'] }
const agent = { signerName: 'kubernetes.io/kube-apiserver-client-kubelet', usages: clientUsages }
const user = { signerName: 'kubernetes.io/kube-apiserver-client', usages: clientUsages }
const serving = { signerName: 'kubernetes.io/kubelet-serving', usages: ['server auth'] }
const joining = { username: 'system:bootstrap:abcdef', groups: ['system:bootstrappers'] }

const cases: readonly Case[] = [
  { subject: node, spec: { ...agent, ...joining }, isOwn: true, isGood: true },
  { subject: node, spec: { ...agent, username: node.commonName }, isOwn: true, isGood: true },
  { subject: node, spec: { ...agent, username: 'jane' }, isOwn: false, isGood: true },
  { subject: node, spec: { ...serving, username: 'jane' }, isOwn: false, isGood: true },
  { subject: node, spec: { ...agent, ...joining, usages: ['any'] }, isOwn: false, isGood: false },
  {
    subject: { commonName: 'jane', organizations: ['dev'] },
    spec: user,
    isOwn: false,
    isGood: true,
  },
  {
    subject: { commonName: 'jane', organizations: ['system:masters'] },
    spec: user,
    isOwn: false,
    isGood: false,
  },
  { spec: { ...agent, ...joining }, isOwn: false, isGood: false },
  {
    subject: node,
    spec: { signerName: 'example.com/other', usages: ['any'] },
    isOwn: false,
    isGood: undefined,
  },
]

const begin = 'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNU'
/** The request ends with the number of its case. */
const caseOf = ({ spec }: CertificateSigningRequest): Case => {
  const found = cases[Number(spec.request.slice(begin.length))]
  if (found === undefined) throw new Error('no such case')
  return found
}
const all = (cluster: SimulatedCluster): Request[] =>
  cluster.api.all<CertificateSigningRequest>(certificateSigningRequestType)
const isDecided = (request: Request): boolean =>
  hasRequestCondition(request, 'Approved') || hasRequestCondition(request, 'Denied')

/** The shell around the pure part, with an authority that reads and signs at once: simulations know no promises. */
const signing = (): Controller => {
  let serial = 0
  return {
    name: 'certificate-controller',
    connect: ({ informers }) => {
      const requests = informers.of(certificateSigningRequestType)
      return {
        watches: [watchOf(requests, ownKey)],
        reconcile: (key, nowMs) => {
          const request = requests.get(key)
          if (request === undefined) return nothing
          const { subject } = caseOf(request)
          const isSigning = isToBeSigned(request) && signerProblem(request, subject) === undefined
          const certificate = isSigning ? `serial-${++serial}` : undefined
          return reconcileCertificateRequest({ request, subject, certificate, nowMs })
        },
      }
    },
  }
}

const decide =
  (type: 'Approved' | 'Denied') =>
  (cluster: SimulatedCluster, choice: number): void => {
    const open = all(cluster).filter((request) => !isDecided(request))
    const request = open[choice % open.length]
    if (request === undefined) return
    const at = timestamp(cluster.api.nowMs)
    const condition = { type, status: 'True', reason: 'User', lastUpdateTime: at } as const
    const object: CertificateSigningRequest = { ...request, status: { conditions: [condition] } }
    cluster.api.update(certificateSigningRequestType, object, 'approval')
  }

test('every request is decided and answered at most once, and only as its signer may', () => {
  let names = 0
  const put = (cluster: SimulatedCluster, choice: number): void => {
    const index = choice % cases.length
    const { spec } = cases[index] ?? { spec: user }
    cluster.put<CertificateSigningRequest>(certificateSigningRequestType, {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: { name: `request-${++names}` },
      spec: { request: `${begin}${index}`, ...spec },
      status: {},
    })
  }
  /** By uid: every status that a request had, in order. */
  let history = new Map<string, CertificateSigningRequest['status'][]>()
  checkControllers({
    controllers: [signing()],
    runs: 60,
    setup: (cluster) => {
      history = new Map()
      cluster.api.onWrite = (object) => {
        const { metadata, status } = object as Request
        history.set(metadata.uid, [...(history.get(metadata.uid) ?? []), status])
      }
      for (const index of cases.keys()) put(cluster, index)
    },
    deeds: [
      put,
      decide('Approved'),
      decide('Approved'),
      decide('Denied'),
      (cluster, choice) => {
        const found = all(cluster)
        const { metadata } = found[choice % found.length] ?? {}
        if (metadata !== undefined)
          cluster.api.delete(certificateSigningRequestType, metadata.name, metadata.uid)
      },
    ],
    always: () => {
      for (const states of history.values()) {
        // Made, decided, answered.
        expect(states.length).toBeLessThanOrEqual(3)
        for (const [index, { conditions = [], certificate }] of states.entries()) {
          const { conditions: before = [], certificate: had } = states[index - 1] ?? {}
          expect(conditions.slice(0, before.length)).toEqual(before)
          if (had !== undefined) expect(certificate).toBe(had)
          const types = conditions.map(({ type }) => type)
          expect(new Set(types).size).toBe(types.length)
          expect(types.includes('Approved') && types.includes('Denied')).toBe(false)
          if (certificate !== undefined) expect(types).toEqual(['Approved'])
        }
      }
    },
    goal: (cluster) => {
      for (const request of all(cluster)) {
        const { isOwn, isGood } = caseOf(request)
        const isApproved = hasRequestCondition(request, 'Approved')
        if (isOwn) expect(isDecided(request)).toBe(true)
        expect(request.status.certificate !== undefined).toBe(isApproved && isGood === true)
        expect(hasRequestCondition(request, 'Failed')).toBe(isApproved && isGood === false)
      }
    },
  })
})
