// `balsa create role`, `clusterrole`, `rolebinding` and `clusterrolebinding`.
import type { Json } from '../../resources/object.ts'
import { findNamed } from '../discovery.ts'
import { BareError } from '../verb-failure.ts'
import {
  type Flags,
  type Generator,
  type GeneratorRequest,
  given,
  parsePairs,
} from './generator.ts'

const group = 'rbac.authorization.k8s.io'
const apiVersion = `${group}/v1`

/** Resources of one group stand in one rule. */
const rulesOf = async ({ flags, session }: GeneratorRequest): Promise<Json[]> => {
  const verbs = [...new Set(flags.list('verb'))]
  const [resources, urls] = [flags.list('resource'), flags.list('non-resource-url')]
  if (verbs.length === 0) throw new Error('at least one verb must be specified')
  if (resources.length === 0 && urls.length === 0)
    throw new Error('at least one resource must be specified')
  const served = resources.length === 0 ? [] : await session().served()
  const byGroup = new Map<string, string[]>()
  for (const word of resources) {
    const [type = '', subresource] = word.split('/')
    const found = type === '*' ? undefined : findNamed(served, type.toLowerCase())
    if (found === undefined && type !== '*')
      throw new BareError(`the server doesn't have a resource type ${JSON.stringify(type)}`)
    const { group: own = '*', plural = '*' } = found?.ref ?? {}
    const name = subresource === undefined ? plural : `${plural}/${subresource}`
    byGroup.set(own, [...(byGroup.get(own) ?? []), name])
  }
  return [
    ...[...byGroup].map(([own, names]) =>
      given({
        apiGroups: [own],
        resources: names,
        resourceNames: [...flags.list('resource-name')],
        verbs,
      }),
    ),
    ...(urls.length === 0 ? [] : [{ nonResourceURLs: [...urls], verbs }]),
  ]
}

const subjects = (flags: Flags): Json[] => [
  ...flags.list('user').map((name) => ({ apiGroup: group, kind: 'User', name })),
  ...flags.list('group').map((name) => ({ apiGroup: group, kind: 'Group', name })),
  ...flags.list('serviceaccount').map((text) => {
    const [namespace = '', name = '', ...others] = text.split(':')
    if (namespace === '' || name === '' || others.length > 0)
      throw new Error('serviceaccount must be <namespace>:<name>')
    return { kind: 'ServiceAccount', name, namespace }
  }),
]

const ruleFlags = `
verb*: what may be done
resource*: RESOURCE, RESOURCE.GROUP, or RESOURCE/SUBRESOURCE
resource-name*: only of these names`
const subjectFlags = `
user+: who has the rights
group+: which group has them
serviceaccount+: NAMESPACE:NAME`

export const rightsGenerators: readonly Generator[] = [
  {
    words: 'role',
    about: 'rights in a namespace',
    flags: ruleFlags,
    make: async (request) => ({
      apiVersion,
      kind: 'Role',
      metadata: { name: request.name },
      rules: await rulesOf(request),
    }),
  },
  {
    words: 'clusterrole',
    about: 'rights in the whole cluster',
    flags: `${ruleFlags}
non-resource-url*: a path such as /metrics
aggregation-rule: KEY=VALUE,...: the rights of all cluster roles with these labels`,
    make: async (request) => {
      const { name, flags } = request
      const labels = flags.text('aggregation-rule')
      const head = { apiVersion, kind: 'ClusterRole', metadata: { name } }
      if (labels === undefined) return { ...head, rules: await rulesOf(request) }
      const refuse = (part: string): Error => new Error(`unexpected label ${part}`)
      const clusterRoleSelectors = [{ matchLabels: parsePairs(labels, refuse) }]
      return { ...head, aggregationRule: { clusterRoleSelectors } }
    },
  },
  {
    words: 'rolebinding',
    about: 'who has the rights of a role',
    flags: `
role: the role
clusterrole: the cluster role${subjectFlags}`,
    make: ({ name, flags }) => {
      const [role, clusterRole] = [flags.text('role'), flags.text('clusterrole')]
      if ((role === undefined) === (clusterRole === undefined))
        throw new Error('exactly one of clusterrole or role must be specified')
      const kind = role === undefined ? 'ClusterRole' : 'Role'
      return {
        apiVersion,
        kind: 'RoleBinding',
        metadata: { name },
        roleRef: { apiGroup: group, kind, name: role ?? clusterRole ?? '' },
        ...given({ subjects: subjects(flags) }),
      }
    },
  },
  {
    words: 'clusterrolebinding',
    about: 'who has the rights of a cluster role everywhere',
    flags: `
clusterrole!: the cluster role${subjectFlags}`,
    make: ({ name, flags }) => ({
      apiVersion,
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup: group, kind: 'ClusterRole', name: flags.text('clusterrole') ?? '' },
      ...given({ subjects: subjects(flags) }),
    }),
  },
]
