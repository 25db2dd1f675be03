// "Who am I?" and "whose token is this?".
import type { Json } from '../../../resources/object.ts'
import { invalid } from '../../api-errors.ts'
import type { User } from '../user.ts'
import type { Review } from './review.ts'

const group = 'authentication.k8s.io'

export const identityReviews: readonly Review[] = [
  {
    group,
    version: 'v1',
    verbs: ['create'],
    kind: 'SelfSubjectReview',
    plural: 'selfsubjectreviews',
    singular: 'selfsubjectreview',
    answer: ({ user }) => ({ userInfo: userInfo(user) }),
  },
  {
    group,
    version: 'v1',
    verbs: ['create'],
    kind: 'TokenReview',
    plural: 'tokenreviews',
    singular: 'tokenreview',
    answer: async ({ spec }, { tokens }) => {
      const { token = '', audiences = [] } = spec as {
        readonly token?: string
        readonly audiences?: readonly string[]
      }
      if (token === '') {
        throw invalid({ group, kind: 'TokenReview' }, '', [
          { reason: 'FieldValueRequired', field: 'spec.token', message: 'Required value' },
        ])
      }
      const found = await tokens.authenticateToken(token, audiences)
      return found === undefined
        ? { user: {}, error: '[invalid bearer token]' }
        : { authenticated: true, user: userInfo(found.user), audiences: [...found.audiences] }
    },
  },
]

const userInfo = ({ name, uid, groups, extra = {} }: User): Json => ({
  username: name,
  ...(uid === undefined ? {} : { uid }),
  groups: [...groups],
  ...(Object.keys(extra).length === 0
    ? {}
    : { extra: Object.fromEntries(Object.entries(extra).map(([key, list]) => [key, [...list]])) }),
})
