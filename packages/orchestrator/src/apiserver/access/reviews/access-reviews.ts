// "May I?", "may they?", "what may I?": answered by the authorizer that also decides requests.
import type { FieldError, Json } from '../../../resources/object.ts'
import type { PolicyRule } from '../../../resources/rbac/policy-rule.ts'
import { badRequest, invalid } from '../../api-errors.ts'
import type { AccessAttributes, Authorizer } from '../authorizer.ts'
import type { User } from '../user.ts'
import type { Review, ReviewQuestion } from './review.ts'

interface ReviewSpec {
  readonly resourceAttributes?: Partial<
    Record<'namespace' | 'verb' | 'group' | 'version' | 'resource' | 'subresource' | 'name', string>
  >
  readonly nonResourceAttributes?: { readonly path?: string; readonly verb?: string }
  readonly user?: string
  readonly uid?: string
  readonly groups?: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

const group = 'authorization.k8s.io'
const shared = { group, version: 'v1', verbs: ['create'] }

export const accessReviews: readonly Review[] = [
  {
    ...shared,
    kind: 'SelfSubjectAccessReview',
    plural: 'selfsubjectaccessreviews',
    singular: 'selfsubjectaccessreview',
    answer: (question, { authorizer }) =>
      decide(authorizer, question.user, checkedSpec(question, 'SelfSubjectAccessReview', [])),
  },
  {
    ...shared,
    kind: 'SubjectAccessReview',
    plural: 'subjectaccessreviews',
    singular: 'subjectaccessreview',
    answer: (question, { authorizer }) => {
      const spec = checkedSpec(question, 'SubjectAccessReview', subjectErrors(question))
      return decide(authorizer, subjectOf(spec), spec)
    },
  },
  {
    ...shared,
    kind: 'LocalSubjectAccessReview',
    plural: 'localsubjectaccessreviews',
    singular: 'localsubjectaccessreview',
    namespaced: true,
    answer: (question, { authorizer }) => {
      const spec = checkedSpec(question, 'LocalSubjectAccessReview', subjectErrors(question))
      if (spec.resourceAttributes?.namespace !== question.namespace) {
        throw badRequest(
          `spec.resourceAttributes.namespace must match namespace: ${question.namespace}`,
        )
      }
      return decide(authorizer, subjectOf(spec), spec)
    },
  },
  {
    ...shared,
    kind: 'SelfSubjectRulesReview',
    plural: 'selfsubjectrulesreviews',
    singular: 'selfsubjectrulesreview',
    answer: ({ user, spec }, sources) => {
      const namespace = typeof spec['namespace'] === 'string' ? spec['namespace'] : ''
      if (namespace === '') throw badRequest('no namespace on request')
      const { rules, problems } = sources.rulesOf(user, namespace)
      return {
        resourceRules: rules.filter((rule) => isOfPaths(rule) === false).map(asJson),
        nonResourceRules: rules.filter(isOfPaths).map(asJson),
        incomplete: problems.length > 0,
        ...(problems.length === 0 ? {} : { evaluationError: problems.join(', ') }),
      }
    },
  },
]

const isOfPaths = (rule: PolicyRule): boolean => (rule.nonResourceURLs ?? []).length > 0
const asJson = (rule: PolicyRule): Json => ({ ...rule })

const decide = (authorizer: Authorizer, user: User, spec: ReviewSpec): Json => {
  const { allowed, reason } = authorizer.authorize(attributesOf(user, spec))
  return { allowed, ...(reason === '' ? {} : { reason }) }
}

const attributesOf = (user: User, spec: ReviewSpec): AccessAttributes => {
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec
  return {
    user,
    verb: resource?.verb ?? path?.verb ?? '',
    isResource: resource !== undefined,
    path: path?.path ?? '',
    group: resource?.group ?? '',
    version: resource?.version ?? '',
    resource: resource?.resource ?? '',
    subresource: resource?.subresource ?? '',
    namespace: resource?.namespace ?? '',
    name: resource?.name ?? '',
  }
}

const subjectOf = (spec: ReviewSpec): User => ({
  name: spec.user ?? '',
  groups: spec.groups ?? [],
  ...(spec.uid === undefined ? {} : { uid: spec.uid }),
  ...(spec.extra === undefined ? {} : { extra: spec.extra }),
})

/** The spec as decoding made it. Throws ApiError Invalid. */
const checkedSpec = (
  question: ReviewQuestion,
  kind: string,
  more: readonly FieldError[],
): ReviewSpec => {
  const spec = question.spec as ReviewSpec
  const isOne =
    (spec.resourceAttributes === undefined) !== (spec.nonResourceAttributes === undefined)
  const errors: FieldError[] = [...more]
  if (!isOne) {
    errors.push({
      reason: 'FieldValueInvalid',
      field: 'spec.resourceAttributes',
      message: `Invalid value: ${JSON.stringify(spec.resourceAttributes ?? null)}: exactly one of nonResourceAttributes or resourceAttributes must be specified`,
    })
  }
  if (errors.length > 0) throw invalid({ group, kind }, '', errors)
  return spec
}

const subjectErrors = ({ spec }: ReviewQuestion): FieldError[] => {
  const { user = '', groups = [] } = spec as ReviewSpec
  return user === '' && groups.length === 0
    ? [
        {
          reason: 'FieldValueInvalid',
          field: 'spec.user',
          message: 'Invalid value: "": at least one of user or group must be specified',
        },
      ]
    : []
}
