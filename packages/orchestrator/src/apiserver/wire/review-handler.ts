// POST of a review: the question, decoded as its kind, comes back with its answer in status.
import { accessReviews } from '../access/reviews/access-reviews.ts'
import { identityReviews } from '../access/reviews/identity-reviews.ts'
import type { Review, ReviewSources } from '../access/reviews/review.ts'
import { badRequest, methodNotAllowed, notAcceptable } from '../api-errors.ts'
import { decodeKind, groupVersion, lenient } from '../registry/decode.ts'
import type { Json } from '../../resources/object.ts'
import type { Exchange } from './exchange.ts'
import { jsonType, negotiate, protobufType, yamlType } from './media-types.ts'
import { sendValue } from './replies.ts'
import { readObject } from './request-body.ts'
import type { ResourcePath } from './request-path.ts'

export const reviews: readonly Review[] = [...accessReviews, ...identityReviews]

/** undefined: the path is not one of a review. */
export const findReview = (path: ResourcePath): Review | undefined =>
  path.name !== undefined
    ? undefined
    : reviews.find(
        (one) =>
          one.group === path.group &&
          one.version === path.version &&
          one.plural === path.plural &&
          (one.namespaced === true) === (path.namespace !== undefined),
      )

export const handleReview = async (
  exchange: Exchange,
  review: Review,
  request: { readonly path: ResourcePath; readonly sources: ReviewSources },
): Promise<void> => {
  if (exchange.method !== 'POST') throw methodNotAllowed()
  // An answer of this moment has no rows and no metadata.
  if (negotiate(exchange.header('accept')).as !== 'object') {
    throw notAcceptable([jsonType, yamlType, protobufType])
  }
  const sent = readObject(exchange)
  if (sent === undefined) throw badRequest('the request body is empty')
  const object = decodeKind(review, sent, lenient) as unknown as {
    readonly spec?: { readonly [field: string]: Json | undefined }
  }
  const { path, sources } = request
  const question = {
    user: exchange.user,
    namespace: path.namespace ?? '',
    spec: object.spec ?? {},
  }
  sendValue(exchange, 201, {
    kind: review.kind,
    apiVersion: groupVersion(review),
    metadata: { creationTimestamp: null },
    ...(object.spec === undefined ? {} : { spec: object.spec }),
    status: await review.answer(question, sources),
  })
}
