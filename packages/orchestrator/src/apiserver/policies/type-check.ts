// Checks the expressions of a policy against the schemas of the kinds that its rules name, as upstream's controller does. What it finds is
// told, not refused: the kinds may change.
import type { Environment } from '@marcbachmann/cel-js'
import type {
  ExpressionWarning,
  ValidatingAdmissionPolicy,
} from '../../resources/admission/validating-admission-policy.ts'
import type { ResourceType } from '../../resources/object.ts'
import { apiVersionOf } from '../../resources/served-version.ts'
import { findMessage, messageOfKind } from '../../resources/schema/messages.ts'
import { celEnvironment } from '../custom/cel-environment.ts'
import { checkTypes } from '../custom/cel-program.ts'
import { CelTypes } from '../custom/cel-types.ts'
import { registerAuthorizer } from './cel-authorizer.ts'

/** Kinds that one policy is checked against; upstream's number. */
const kindsMax = 10

interface Place {
  readonly fieldRef: string
  readonly expression: string
}

export const expressionWarnings = (
  policy: ValidatingAdmissionPolicy,
  types: readonly ResourceType[],
): readonly ExpressionWarning[] => {
  const kinds = kindsOf(policy, types)
  const found = kinds.map((type) => ({ type, environment: environmentFor(policy, type) }))
  return expressionsOf(policy).flatMap(({ fieldRef, expression }) => {
    const problems = found.flatMap(({ type, environment }) => {
      const problem = problemOf(environment, expression)
      return problem === undefined ? [] : [`${apiVersionOf(type)}, Kind=${type.kind}: ${problem}`]
    })
    return problems.length === 0 ? [] : [{ fieldRef, warning: `${problems.join('\n')}\n` }]
  })
}

const expressionsOf = ({ spec }: ValidatingAdmissionPolicy): readonly Place[] =>
  (spec.validations ?? []).flatMap(({ expression, messageExpression = '' }, index) => {
    const at = `spec.validations[${index}]`
    const message = { fieldRef: `${at}.messageExpression`, expression: messageExpression }
    return [
      { fieldRef: `${at}.expression`, expression },
      ...(messageExpression === '' ? [] : [message]),
    ]
  })

/** Rules that are about everything name no kind. */
const kindsOf = (
  { spec }: ValidatingAdmissionPolicy,
  types: readonly ResourceType[],
): readonly ResourceType[] => {
  const rules = spec.matchConstraints?.resourceRules ?? []
  const isNamed = (list: readonly string[] | undefined, name: string): boolean =>
    list?.includes(name) === true
  return types
    .filter((type) =>
      rules.some(
        ({ apiGroups, apiVersions, resources }) =>
          isNamed(apiGroups, type.group) &&
          isNamed(apiVersions, type.version) &&
          isNamed(resources, type.plural),
      ),
    )
    .slice(0, kindsMax)
}

const environmentFor = (policy: ValidatingAdmissionPolicy, type: ResourceType): Environment => {
  const environment = celEnvironment(['request', 'namespaceObject', 'params'])
  registerAuthorizer(environment)
  environment.registerVariable('authorizer', 'Authorizer')
  const types = new CelTypes(environment)
  const object = typeOfObject(types, type)
  environment.registerVariable('object', object)
  environment.registerVariable('oldObject', object)
  const variables: Record<string, string> = {}
  for (const { name, expression } of policy.spec.variables ?? []) {
    variables[name] = variableType(withVariables(environment, variables), expression)
  }
  return withVariables(environment, variables)
}

/** An environment that was copied takes nothing more. */
const withVariables = (
  environment: Environment,
  variables: Readonly<Record<string, string>>,
): Environment => {
  const copy = environment.clone()
  return copy.registerVariable('variables', new CelTypes(copy).ofMembers(variables))
}

const typeOfObject = (types: CelTypes, type: ResourceType): string => {
  const meta = findMessage('meta/v1', 'ObjectMeta')
  const head = {
    apiVersion: 'string',
    kind: 'string',
    metadata: meta === undefined ? 'dyn' : types.ofMessage(meta),
  }
  if (type.openApiSchema !== undefined) {
    return types.ofSchema(type.openApiSchema, head)
  }
  const message = messageOfKind(type)
  return message === undefined ? 'dyn' : types.ofMessage(message, head)
}

const variableType = (environment: Environment, expression: string): string => {
  try {
    return checkTypes(environment, expression).type
  } catch {
    // That it does not compile is said elsewhere.
    return 'dyn'
  }
}

const problemOf = (environment: Environment, expression: string): string | undefined => {
  try {
    return checkTypes(environment, expression).problem
  } catch {
    // As above: the policy is refused.
    return undefined
  }
}
