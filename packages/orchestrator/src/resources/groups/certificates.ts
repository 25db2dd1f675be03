// The kinds of the group certificates.k8s.io.
import { certificateSigningRequestType } from '../certificate-signing-request.ts'
import type { ResourceType } from '../object.ts'

export const certificatesTypes: readonly ResourceType[] = [certificateSigningRequestType]
