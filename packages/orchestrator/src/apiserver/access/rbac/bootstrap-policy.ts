// The tables of bootstrap roles as objects.
import { rbacGroup, type PolicyRule } from '../../../resources/rbac/policy-rule.ts'
import type { ClusterRole, Role } from '../../../resources/rbac/role.ts'
import type { RoleBinding, Subject } from '../../../resources/rbac/role-binding.ts'
import { controllerRoles, namespaceBindings, namespaceRoles } from './bootstrap-controller-roles.ts'
import { userBindings, userRoles } from './bootstrap-roles.ts'

export interface BootstrapPolicy {
  readonly clusterRoles: readonly ClusterRole[]
  readonly clusterRoleBindings: readonly RoleBinding[]
  readonly roles: readonly Role[]
  readonly roleBindings: readonly RoleBinding[]
}

const apiVersion = `${rbacGroup}/v1`
const bootstrapMetadata = {
  labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' },
  annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
}
const aggregationLabel = (role: string): string => `rbac.authorization.k8s.io/aggregate-to-${role}`
const controllerPrefix = 'system:controller:'

export const bootstrapPolicy = (): BootstrapPolicy => {
  const controllers = parseRoles(controllerRoles)
  return {
    clusterRoles: [
      ...parseRoles(userRoles).map(clusterRole),
      ...controllers.map((role) =>
        clusterRole({ ...role, name: `${controllerPrefix}${role.name}` }),
      ),
    ],
    clusterRoleBindings: [
      ...lines(userBindings).map((line) => {
        const [name = '', ...subjects] = line.split(' ')
        return binding('ClusterRole', name, undefined, subjects)
      }),
      ...controllers.map(({ name }) =>
        binding('ClusterRole', `${controllerPrefix}${name}`, undefined, [
          `ServiceAccount:kube-system/${name}`,
        ]),
      ),
    ],
    roles: parseRoles(namespaceRoles).map(({ name, rules }) => {
      const place = splitPlace(name)
      return { apiVersion, kind: 'Role', metadata: { ...bootstrapMetadata, ...place }, rules }
    }),
    roleBindings: lines(namespaceBindings).map((line) => {
      const [place = '', ...subjects] = line.split(' ')
      const { namespace, name } = splitPlace(place)
      return binding('Role', name, namespace, subjects)
    }),
  }
}

interface RoleText {
  readonly name: string
  /** `aggregates:X` (it is made of others) and `to:X` (it is part of X). */
  readonly marks: readonly string[]
  readonly rules: readonly PolicyRule[]
}

const lines = (table: string): string[] => table.trim().split('\n')

const parseRoles = (table: string): RoleText[] =>
  table
    .trim()
    .split(/\n(?! )/)
    .map((paragraph) => {
      const [head = '', ...rules] = paragraph.split('\n')
      const [name = '', ...marks] = head.split(' +')
      return { name, marks, rules: rules.map(parseRule) }
    })

const verbSets: Readonly<Record<string, readonly string[]>> = {
  read: ['get', 'list', 'watch'],
  write: ['create', 'delete', 'deletecollection', 'patch', 'update'],
  all: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
}

const parseRule = (line: string): PolicyRule => {
  const [verbTexts = [], groups = [], targets = [], names = []] = line
    .trim()
    .split(' ')
    .map((list) => list.split(','))
  const verbs = verbTexts.flatMap((verb) => verbSets[verb] ?? [verb])
  if (groups[0] === 'url') return { verbs, nonResourceURLs: targets }
  return {
    verbs,
    apiGroups: groups.map((group) => (group === 'core' ? '' : group)),
    resources: targets,
    ...(names.length === 0 ? {} : { resourceNames: names }),
  }
}

const clusterRole = ({ name, marks, rules }: RoleText): ClusterRole => {
  const marked = (prefix: string): string[] =>
    marks.filter((mark) => mark.startsWith(prefix)).map((mark) => mark.slice(prefix.length))
  const labels = marked('to:').map((role) => [aggregationLabel(role), 'true'])
  const selectors = marked('aggregates:').map((role) => ({
    matchLabels: { [aggregationLabel(role)]: 'true' },
  }))
  return {
    apiVersion,
    kind: 'ClusterRole',
    metadata: {
      name,
      annotations: bootstrapMetadata.annotations,
      labels: { ...bootstrapMetadata.labels, ...Object.fromEntries(labels) },
    },
    ...(selectors.length === 0 ? {} : { aggregationRule: { clusterRoleSelectors: selectors } }),
    rules,
  }
}

/** A binding is called like its role. */
const binding = (
  kind: 'Role' | 'ClusterRole',
  name: string,
  namespace: string | undefined,
  subjects: readonly string[],
): RoleBinding => ({
  apiVersion,
  kind: `${kind}Binding`,
  metadata: { ...bootstrapMetadata, name, ...(namespace === undefined ? {} : { namespace }) },
  roleRef: { apiGroup: rbacGroup, kind, name },
  subjects: subjects.map(parseSubject),
})

const parseSubject = (text: string): Subject => {
  const colon = text.indexOf(':')
  const kind = text.slice(0, colon)
  const name = text.slice(colon + 1)
  return kind === 'ServiceAccount'
    ? { kind, ...splitPlace(name) }
    : { kind, apiGroup: rbacGroup, name }
}

/** `NAMESPACE/NAME`. */
const splitPlace = (text: string): { namespace: string; name: string } => {
  const slash = text.indexOf('/')
  return { namespace: text.slice(0, slash), name: text.slice(slash + 1) }
}
