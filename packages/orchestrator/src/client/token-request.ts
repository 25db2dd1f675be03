// What a client asks of a service account's token, and what it gets (authentication.k8s.io/v1 TokenRequest).

export interface BoundObjectReference {
  readonly kind?: string
  readonly apiVersion?: string
  readonly name?: string
  readonly uid?: string
}

export interface TokenRequestSpec {
  /** Left out or empty: the apiserver. */
  readonly audiences?: readonly string[]
  readonly expirationSeconds?: number
  readonly boundObjectRef?: BoundObjectReference
}

export interface TokenRequestStatus {
  readonly token: string
  /** RFC 3339. */
  readonly expirationTimestamp: string
}
