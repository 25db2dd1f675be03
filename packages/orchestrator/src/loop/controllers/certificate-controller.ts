// Reads and signs what the pure part decides about.
import { nothing } from '../../controllers/action.ts'
import {
  isToBeSigned,
  reconcileCertificateRequest,
  signerProblem,
  type Subject,
} from '../../controllers/certificate-signing-request.ts'
import { certificateSigningRequestType } from '../../resources/certificate-signing-request.ts'
import { watchOf } from '../controller-loop.ts'
import { ownKey, type Controller } from '../controller.ts'

/** Reads requests and issues certificates with the cluster's authority. All texts are PEM. */
export interface CertificateIssuer {
  /** Rejects where the request is none. */
  read(request: string): Promise<Subject>
  sign(order: {
    readonly request: string
    readonly usages: readonly string[]
    readonly expirationSeconds: number
  }): Promise<string>
}

const expirationSecondsDefault = 365 * 24 * 60 * 60

export const certificateController: Controller = {
  name: 'certificate-controller',
  connect: ({ informers, issuer }) => {
    if (issuer === undefined) return { watches: [], reconcile: () => nothing }
    const requests = informers.of(certificateSigningRequestType)
    return {
      watches: [watchOf(requests, ownKey)],
      reconcile: async (key, nowMs) => {
        const request = requests.get(key)
        if (request === undefined) return nothing
        const { spec } = request
        const pem = Buffer.from(spec.request, 'base64').toString('utf8')
        let subject: Subject | undefined
        try {
          subject = await issuer.read(pem)
        } catch {
          // Told in the status: the request cannot be read.
          subject = undefined
        }
        const isSigning = isToBeSigned(request) && signerProblem(request, subject) === undefined
        const { usages = [], expirationSeconds = expirationSecondsDefault } = spec
        const certificate = isSigning
          ? Buffer.from(await issuer.sign({ request: pem, usages, expirationSeconds })).toString(
              'base64',
            )
          : undefined
        return reconcileCertificateRequest({ request, subject, certificate, nowMs })
      },
    }
  },
}
