// Who asks: the identity that authentication finds and that authorization, admission and audit speak of.

export interface User {
  readonly name: string
  readonly uid?: string
  readonly groups: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

/** Of everybody who has shown who they are. */
export const authenticatedGroup = 'system:authenticated'
export const unauthenticatedGroup = 'system:unauthenticated'
/** May do everything. */
export const mastersGroup = 'system:masters'

/** The apiserver itself. */
export const systemUser: User = { name: 'system:apiserver', groups: [mastersGroup] }
export const anonymousUser: User = { name: 'system:anonymous', groups: [unauthenticatedGroup] }

export const isMaster = (user: User): boolean => user.groups.includes(mastersGroup)

/** A component of the cluster that runs in this process: `system:kube-scheduler`, `system:node:NAME` and the like. */
export const componentUser = (name: string, groups: readonly string[] = []): User => ({
  name,
  groups: [...groups, authenticatedGroup],
})

export const serviceAccountPrefix = 'system:serviceaccount:'

/** What every service account of a namespace is in. */
export const serviceAccountGroups = (namespace: string): string[] => [
  'system:serviceaccounts',
  `system:serviceaccounts:${namespace}`,
]

/** A controller acts as the service account of its name in kube-system. */
export const controllerUser = (name: string): User =>
  componentUser(`${serviceAccountPrefix}kube-system:${name}`, serviceAccountGroups('kube-system'))
