// `balsa auth can-i --list`: all that the user may do in a namespace, rule by rule, sorted and joined as kubectl does.
import type { ApiSession } from './api-session.ts'
import { TablePrinter } from './table-text.ts'

interface Rule {
  readonly verbs: readonly string[]
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly resourceNames: readonly string[]
  readonly nonResourceURLs: readonly string[]
}
interface RulesReview {
  readonly status?: {
    readonly resourceRules?: readonly Partial<Rule>[]
    readonly nonResourceRules?: readonly Partial<Rule>[]
    readonly incomplete?: boolean
    readonly evaluationError?: string
  }
}

const columns = ['Resources', 'Non-Resource URLs', 'Resource Names', 'Verbs']

export const printAllowed = async (session: ApiSession, hasHeaders: boolean): Promise<void> => {
  const { status = {} } = (await session.transport.json({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews',
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectRulesReview',
      spec: { namespace: session.namespace },
    },
  })) as RulesReview
  const rules = [...(status.resourceRules ?? []), ...(status.nonResourceRules ?? [])]
  const rows = joined(rules.flatMap(single)).toSorted((left, right) =>
    sortText(left) < sortText(right) ? -1 : 1,
  )
  if (status.incomplete === true)
    process.stderr.write(`warning: the list may be incomplete: ${status.evaluationError ?? ''}\n`)
  const cells = rows.map((rule) => [
    resourceText(rule),
    ...[rule.nonResourceURLs, rule.resourceNames, rule.verbs].map(listText),
  ])
  const table = {
    kind: 'Table',
    columnDefinitions: columns.map((name) => ({ name })),
    rows: (hasHeaders ? [columns, ...cells] : cells).map((each) => ({ cells: each })),
  }
  process.stdout.write(new TablePrinter({ hasHeaders: false }).text(table))
}

/** One rule for each resource, name, path and verb. */
const single = (rule: Partial<Rule>): Rule[] => {
  const { verbs = [], apiGroups = [], resources = [], resourceNames = [] } = rule
  const { nonResourceURLs = [] } = rule
  const names = resourceNames.length === 0 ? [[]] : resourceNames.map((name) => [name])
  const none = { apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: [] }
  return [
    ...apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        verbs.flatMap((verb) =>
          names.map((each) => ({
            ...none,
            verbs: [verb],
            apiGroups: [group],
            resources: [resource],
            resourceNames: each,
          })),
        ),
      ),
    ),
    ...nonResourceURLs.flatMap((url) =>
      verbs.map((verb) => ({ ...none, verbs: [verb], nonResourceURLs: [url] })),
    ),
  ]
}

/** The verbs of a resource stand together; paths stay as they are. */
const joined = (rules: readonly Rule[]): Rule[] => {
  const byResource = new Map<string, Rule>()
  const paths: Rule[] = []
  for (const rule of rules) {
    if (rule.nonResourceURLs.length > 0) {
      paths.push(rule)
      continue
    }
    const { apiGroups, resources, resourceNames } = rule
    const key = JSON.stringify([apiGroups, resources, resourceNames])
    const verbs = [...new Set([...(byResource.get(key)?.verbs ?? []), ...rule.verbs])]
    byResource.set(key, { ...rule, verbs })
  }
  return [...paths, ...byResource.values()]
}

const listText = (list: readonly string[]): string => `[${list.join(' ')}]`

/** What kubectl sorts by. */
const sortText = ({ verbs, apiGroups, resources, resourceNames, nonResourceURLs }: Rule): string =>
  `Verbs:${listText(verbs)},APIGroups:${listText(apiGroups)},Resources:${listText(resources)},` +
  `ResourceNames:${listText(resourceNames)},NonResourceURLs:${listText(nonResourceURLs)}`

/** `deployments.apps/scale`. */
const resourceText = ({ apiGroups: [group = ''], resources: [resource = ''] }: Rule): string => {
  if (group === '') return resource
  const [plural = '', subresource] = resource.split('/')
  return `${plural}.${group}${subresource === undefined ? '' : `/${subresource}`}`
}
