// What is refused around custom kinds and is no matter of a single object: rules that do not compile, and new objects of a kind that ends.
import { ApiError } from '../../client/api-client.ts'
import type { CustomResourceDefinition } from '../../resources/custom/custom-resource-definition.ts'
import type { FieldError, ResourceType } from '../../resources/object.ts'
import { invalid } from '../api-errors.ts'
import { hasRules } from '../custom/custom-resources.ts'
import type { Registry } from '../registry/registry.ts'
import type { AdmissionOperation, AdmissionPlugin, AdmissionRequest } from './admission.ts'

export class CustomResourceAdmission implements AdmissionPlugin {
  readonly name = 'CustomResources'
  readonly #definitions: () => Registry | undefined

  constructor(definitions: () => Registry | undefined) {
    this.#definitions = definitions
  }

  handles(operation: AdmissionOperation, type: ResourceType, subresource: string): boolean {
    if (subresource !== '') return false
    if (type.plural === 'customresourcedefinitions') return operation !== 'DELETE'
    return type.custom !== undefined && operation === 'CREATE'
  }

  async validate({ type, object, name }: AdmissionRequest): Promise<void> {
    if (type.custom === undefined) {
      await checkRules(type, object as CustomResourceDefinition, name)
      return
    }
    const definition = this.#definitions()?.cache.get(`${type.plural}.${type.group}`)
    if (definition?.object.metadata.deletionTimestamp !== undefined) {
      throw new ApiError(
        405,
        'MethodNotAllowed',
        'create not allowed while custom resource definition is terminating',
      )
    }
  }
}

const checkRules = async (
  type: ResourceType,
  definition: CustomResourceDefinition,
  name: string,
): Promise<void> => {
  if (!hasRules(definition)) return
  const { ruleProblems } = await import('../custom/cel-rules.ts')
  const errors = definition.spec.versions.flatMap(({ schema }, index): FieldError[] =>
    ruleProblems(schema?.openAPIV3Schema ?? {}).map(({ field, rule, problem }) => ({
      reason: 'FieldValueInvalid',
      field: `spec.versions[${index}].schema.openAPIV3Schema.${field}`,
      message: `Invalid value: ${JSON.stringify(rule)}: ${problem}`,
    })),
  )
  if (errors.length > 0) throw invalid(type, name, errors)
}
