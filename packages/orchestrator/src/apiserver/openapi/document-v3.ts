// The OpenAPI v3 documents, one a group version: the schemas of its kinds and of all they are made of, and the patch of each kind.
import type { ResourceType } from '../../resources/object.ts'
import {
  definitionsOf,
  dialectV3,
  type DescribedKind,
  objectPath,
  patchParameters,
} from './definitions.ts'

export const documentV3 = (
  types: readonly ResourceType[],
  others: readonly DescribedKind[],
): object => ({
  openapi: '3.0.0',
  info: { title: 'Kubernetes', version: 'v1' },
  paths: Object.fromEntries(types.map((type) => [objectPath(type), pathItem(type)])),
  components: { schemas: Object.fromEntries(definitionsOf([...types, ...others], dialectV3)) },
})

const pathItem = ({ group, version, kind }: ResourceType): object => ({
  patch: {
    parameters: patchParameters.map(({ name, type }) => ({
      name,
      in: 'query',
      schema: { type, uniqueItems: true },
    })),
    responses: { 200: { description: 'OK' } },
    'x-kubernetes-action': 'patch',
    'x-kubernetes-group-version-kind': { group, kind, version },
  },
})
