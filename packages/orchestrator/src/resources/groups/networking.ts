// The kinds of the group networking.k8s.io.
import { ingressClassType } from '../networking/ingress-class.ts'
import { ingressType } from '../networking/ingress.ts'
import { ipAddressType, serviceCidrType } from '../networking/service-cidr.ts'
import { networkPolicyType } from '../networking/network-policy.ts'
import type { ResourceType } from '../object.ts'
import { betaIngressTypes } from '../versions/beta-ingress.ts'

export const networkingTypes: readonly ResourceType[] = [
  ingressClassType,
  ingressType,
  ipAddressType,
  networkPolicyType,
  serviceCidrType,
  ...betaIngressTypes,
]
