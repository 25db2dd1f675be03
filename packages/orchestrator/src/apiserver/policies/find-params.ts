// The objects that a policy takes values from, as a binding names them.
import type { ParamRef } from '../../resources/admission/validating-admission-policy-binding.ts'
import type { ParamKind } from '../../resources/admission/validating-admission-policy.ts'
import { matchesSelector } from '../../resources/label-selector.ts'
import type { KubeObject } from '../../resources/object.ts'
import { fromStored } from '../../resources/served-version.ts'
import type { ServedType } from '../registry/registries.ts'

/** Why a policy cannot be asked. */
export class ParamProblem extends Error {}

/** With params of many objects a policy is asked once for each. */
const paramsMax = 1000

/** undefined stands for no params: the policy is asked without. Throws ParamProblem. */
export const findParams = (
  kind: ParamKind | undefined,
  ref: ParamRef | undefined,
  place: {
    /** Of the request; undefined: the object is in none. */
    readonly namespace: string | undefined
    readonly served: (apiVersion: string, kind: string) => ServedType | undefined
  },
): readonly (KubeObject | undefined)[] => {
  if (kind === undefined || ref === undefined) return [undefined]
  const { apiVersion = '', kind: name = '' } = kind
  const found = place.served(apiVersion, name)
  if (found === undefined) {
    const [version = '', group = ''] = apiVersion.split('/').toReversed()
    throw new ParamProblem(`paramKind kind \`${group}/${version}, Kind=${name}\` not known`)
  }
  const params = paramsOf(found, ref, place.namespace)
  if (params.length === 0 && ref.parameterNotFoundAction === 'Deny') {
    throw new ParamProblem('no params found for policy binding with `Deny` parameterNotFoundAction')
  }
  if (params.length > paramsMax) throw new ParamProblem(`more than ${paramsMax} params found`)
  return params.map((object) => fromStored(found.type, object))
}

const paramsOf = (
  { type, registry }: ServedType,
  ref: ParamRef,
  requestNamespace: string | undefined,
): readonly KubeObject[] => {
  const { name = '', namespace: named = '', selector } = ref
  const namespace = named === '' ? (requestNamespace ?? '') : named
  if (!type.namespaced && named !== '') {
    throw new ParamProblem(
      'paramRef.namespace must not be provided for a cluster-scoped `paramKind`',
    )
  }
  if (type.namespaced && namespace === '') {
    throw new ParamProblem(
      'cannot use namespaced paramRef in policy binding that matches cluster-scoped resources',
    )
  }
  const prefix = type.namespaced ? `${namespace}/` : ''
  if (name !== '') {
    const object = registry.cache.get(`${prefix}${name}`)?.object
    return object === undefined ? [] : [object]
  }
  return [...registry.cache.list(prefix)]
    .map(({ object }) => object)
    .filter(({ metadata }) => selector === undefined || matchesSelector(selector, metadata.labels))
}
