// POST serviceaccounts/NAME/token: a TokenRequest, answered with a token.
import type { TokenRequestSpec } from '../../client/token-request.ts'
import type { KubeObject } from '../../resources/object.ts'
import { badRequest, methodNotAllowed } from '../api-errors.ts'
import { decodeKind } from '../registry/decode.ts'
import { timestamp } from '../registry/object-metadata.ts'
import { writeOptions } from '../wire/query-options.ts'
import { sendValue } from '../wire/replies.ts'
import { readObject } from '../wire/request-body.ts'
import type { SubresourceRequest } from './subresource-table.ts'

export const tokenRequestKind = {
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'TokenRequest',
}

type TokenRequestObject = KubeObject & { readonly spec?: TokenRequestSpec }

export const handleToken = async (request: SubresourceRequest): Promise<void> => {
  const { exchange, registry, place, access } = request
  if (exchange.method !== 'POST') throw methodNotAllowed()
  const sent = readObject(exchange)
  if (sent === undefined) throw badRequest('the request body is empty')
  const options = writeOptions(exchange)
  const quiet = { fieldValidation: 'Ignore', warn: () => undefined } as const
  const asked = decodeKind(tokenRequestKind, sent, quiet) as TokenRequestObject
  const { tokenRequests } = access
  const object = { ...asked, spec: tokenRequests.completed(asked.spec ?? {}) }
  const write = { place, object, oldObject: undefined, options } as const
  await registry.admit({ operation: 'CREATE', subresource: 'token', ...write })
  const { namespace = '', name } = place
  sendValue(exchange, 201, {
    kind: object.kind,
    apiVersion: object.apiVersion,
    metadata: { name, namespace, creationTimestamp: timestamp(request.registries.now()) },
    spec: object.spec,
    status: await tokenRequests.create(namespace, name, object.spec),
  })
}
