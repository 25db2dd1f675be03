// The OpenAPI v3 documents, one a group version: the schemas of its kinds and of all they are made of, and what can be done with each kind.
import { definitionsOf, dialectV3, type DescribedKind } from './definitions.ts'
import { type OperatedKind, pathsOf } from './operations.ts'

export const documentV3 = (
  types: readonly OperatedKind[],
  others: readonly DescribedKind[],
): object => ({
  openapi: '3.0.0',
  info: { title: 'Kubernetes', version: 'v1' },
  paths: pathsOf(types, 'v3'),
  components: {
    schemas: Object.fromEntries(definitionsOf([...types, ...others], dialectV3)),
    securitySchemes: { BearerToken: bearerToken },
  },
  security: [{ BearerToken: [] }],
})

/** How clients may say who they are; certificates are not told of here. */
export const bearerToken = { type: 'apiKey', name: 'authorization', in: 'header' } as const
