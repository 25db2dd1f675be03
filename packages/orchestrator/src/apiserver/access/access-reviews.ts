// Resources without storage: a client posts a question about itself and gets it back with an answer.
import type { Json } from '../../resources/object.ts'
import { isMaster, type User } from './user.ts'
import type { VirtualResource } from '../discovery/discovery.ts'

export interface Review extends VirtualResource {
  answer(user: User): Json
}

const authorization = { group: 'authorization.k8s.io', version: 'v1', verbs: ['create'] }

export const reviews: readonly Review[] = [
  {
    ...authorization,
    kind: 'SelfSubjectAccessReview',
    plural: 'selfsubjectaccessreviews',
    singular: 'selfsubjectaccessreview',
    answer: (user) => ({ allowed: isMaster(user) }),
  },
  {
    ...authorization,
    kind: 'SelfSubjectRulesReview',
    plural: 'selfsubjectrulesreviews',
    singular: 'selfsubjectrulesreview',
    answer: (user) => ({
      resourceRules: isMaster(user) ? [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }] : [],
      nonResourceRules: isMaster(user) ? [{ verbs: ['*'], nonResourceURLs: ['*'] }] : [],
      incomplete: false,
    }),
  },
  {
    group: 'authentication.k8s.io',
    version: 'v1',
    verbs: ['create'],
    kind: 'SelfSubjectReview',
    plural: 'selfsubjectreviews',
    singular: 'selfsubjectreview',
    answer: ({ name, groups }) => ({ userInfo: { username: name, groups: [...groups] } }),
  },
]
