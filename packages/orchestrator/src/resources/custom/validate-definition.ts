// What a CustomResourceDefinition must be (apiextensions validation), with upstream's texts.
import { jsonEqual } from '../json-equal.ts'
import { dns1035LabelProblems, dns1123SubdomainProblems } from '../names.ts'
import type { FieldError } from '../object.ts'
import {
  duplicate,
  forbidden,
  invalid,
  invalidEach,
  notSupported,
  required,
} from '../validation/field-error.ts'
import { validateClientConfig } from '../admission/webhook-configuration.ts'
import type { CustomResourceDefinition, CustomVersion } from './custom-resource-definition.ts'
import { parseJsonPath } from './json-path.ts'
import { validateStructure } from './validate-structure.ts'

const columnTypes = ['integer', 'number', 'string', 'boolean', 'date']
const versionsMax = 100

export const validateDefinition = (object: CustomResourceDefinition): FieldError[] => {
  const { spec, metadata } = object
  const { group, names, scope, versions } = spec
  const errors: FieldError[] = []
  const name = `${names.plural}.${group}`
  if ((metadata.name ?? '') !== name) {
    errors.push(invalid('metadata.name', metadata.name, `must be spec.names.plural+"."+spec.group`))
  }
  if (group === '') errors.push(required('spec.group'))
  else {
    errors.push(...invalidEach('spec.group', group, dns1123SubdomainProblems(group)))
    if (!group.includes('.')) {
      errors.push(invalid('spec.group', group, 'should be a domain with at least one dot'))
    }
  }
  if (scope === '') errors.push(required('spec.scope'))
  else if (scope !== 'Cluster' && scope !== 'Namespaced') {
    errors.push(notSupported('spec.scope', scope, ['Cluster', 'Namespaced']))
  }
  errors.push(...validateNames(object))
  if (spec.preserveUnknownFields === true) {
    errors.push(
      invalid(
        'spec.preserveUnknownFields',
        true,
        'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
      ),
    )
  }
  errors.push(...validateConversion(object))
  if (versions.length > versionsMax)
    errors.push(invalid('spec.versions', versions.length, `must be at most ${versionsMax}`))
  const stored = versions.filter((version) => version.storage)
  if (stored.length !== 1) {
    errors.push(
      invalid('spec.versions', versions, 'must have exactly one version marked as storage version'),
    )
  }
  const seen = new Set<string>()
  for (const [index, version] of versions.slice(0, versionsMax).entries()) {
    const field = `spec.versions[${index}]`
    if (seen.has(version.name)) errors.push(duplicate(`${field}.name`, version.name))
    seen.add(version.name)
    errors.push(...validateVersion(version, field))
  }
  return errors
}

const validateNames = ({ spec: { names } }: CustomResourceDefinition): FieldError[] => {
  const errors: FieldError[] = []
  const named = {
    plural: names.plural,
    singular: names.singular,
    kind: names.kind,
    listKind: names.listKind,
  }
  for (const [key, value] of Object.entries(named)) {
    const field = `spec.names.${key}`
    if (value === undefined || value === '') {
      if (key !== 'singular') errors.push(required(field))
      continue
    }
    // Kinds are written in capitals, but are names like the others.
    errors.push(...invalidEach(field, value, dns1035LabelProblems(value.toLowerCase())))
  }
  const isLower = (name: string): boolean => name === name.toLowerCase()
  if (!isLower(names.plural)) {
    errors.push(
      ...invalidEach('spec.names.plural', names.plural, dns1035LabelProblems(names.plural)),
    )
  }
  for (const list of ['shortNames', 'categories'] as const) {
    for (const [index, name] of (names[list] ?? []).entries()) {
      errors.push(...invalidEach(`spec.names.${list}[${index}]`, name, dns1035LabelProblems(name)))
    }
  }
  if (names.kind !== '' && names.kind === names.listKind) {
    errors.push(
      invalid('spec.names.listKind', names.listKind, 'kind and listKind may not be the same'),
    )
  }
  return errors
}

const validateConversion = ({ spec: { conversion } }: CustomResourceDefinition): FieldError[] => {
  const strategy = conversion?.strategy ?? 'None'
  if (strategy !== 'None' && strategy !== 'Webhook') {
    return [notSupported('spec.conversion.strategy', strategy, ['None', 'Webhook'])]
  }
  if (strategy === 'Webhook') {
    const { clientConfig, conversionReviewVersions: versions = [] } = conversion?.webhook ?? {}
    return [
      ...(clientConfig === undefined
        ? [
            required(
              'spec.conversion.webhookClientConfig',
              'required when strategy is set to Webhook',
            ),
          ]
        : validateClientConfig(clientConfig, 'spec.conversion.webhookClientConfig')),
      ...validateReviewVersions(versions),
    ]
  }
  return conversion?.webhook === undefined
    ? []
    : [
        forbidden(
          'spec.conversion.webhookClientConfig',
          'should not be set when strategy is not set to Webhook',
        ),
      ]
}

const validateReviewVersions = (versions: readonly string[]): FieldError[] => {
  const field = 'spec.conversion.conversionReviewVersions'
  if (versions.length === 0) return [required(field)]
  return versions.includes('v1') || versions.includes('v1beta1')
    ? []
    : [invalid(field, versions, 'must include at least one of v1, v1beta1')]
}

const validateVersion = (version: CustomVersion, field: string): FieldError[] => {
  const errors = invalidEach(`${field}.name`, version.name, dns1035LabelProblems(version.name))
  const schema = version.schema?.openAPIV3Schema
  if (schema === undefined) {
    errors.push(required(`${field}.schema.openAPIV3Schema`, 'schemas are required'))
  } else errors.push(...validateStructure(schema, `${field}.schema.openAPIV3Schema`))
  for (const [index, one] of (version.additionalPrinterColumns ?? []).entries()) {
    const at = `${field}.additionalPrinterColumns[${index}]`
    if (one.name === '') errors.push(required(`${at}.name`))
    if (one.type === '') {
      errors.push(required(`${at}.type`, `must be one of ${columnTypes.join(',')}`))
    } else if (!columnTypes.includes(one.type)) {
      errors.push(invalid(`${at}.type`, one.type, `must be one of ${columnTypes.join(',')}`))
    }
    errors.push(...validatePath(`${at}.jsonPath`, one.jsonPath))
  }
  const { scale } = version.subresources ?? {}
  if (scale !== undefined) {
    const at = `${field}.subresources.scale`
    errors.push(...validatePath(`${at}.specReplicasPath`, scale.specReplicasPath, '.spec.'))
    errors.push(...validatePath(`${at}.statusReplicasPath`, scale.statusReplicasPath, '.status.'))
  }
  for (const [index, one] of (version.selectableFields ?? []).entries()) {
    errors.push(...validatePath(`${field}.selectableFields[${index}].jsonPath`, one.jsonPath))
  }
  return errors
}

const validatePath = (field: string, path: string, prefix = ''): FieldError[] => {
  if (path === '') return [required(field)]
  if (parseJsonPath(path) === undefined) return [invalid(field, path, 'is an invalid json path')]
  return path.startsWith(prefix)
    ? []
    : [invalid(field, path, `should be a json path under ${prefix.slice(0, -1)}`)]
}

export const validateDefinitionUpdate = (
  object: CustomResourceDefinition,
  old: CustomResourceDefinition,
): FieldError[] => {
  const errors: FieldError[] = []
  const immutable = (field: string, value: unknown, before: unknown): void => {
    if (!jsonEqual(value, before)) errors.push(invalid(field, value, 'field is immutable'))
  }
  const isEstablished = (old.status.conditions ?? []).some(
    ({ type, status }) => type === 'Established' && status === 'True',
  )
  if (isEstablished) {
    immutable('spec.scope', object.spec.scope, old.spec.scope)
    immutable('spec.names.kind', object.spec.names.kind, old.spec.names.kind)
  }
  immutable('spec.group', object.spec.group, old.spec.group)
  immutable('spec.names.plural', object.spec.names.plural, old.spec.names.plural)
  const names = new Set(object.spec.versions.map((version) => version.name))
  for (const [index, stored] of (old.status.storedVersions ?? []).entries()) {
    if (names.has(stored)) continue
    errors.push(
      invalid(
        `status.storedVersions[${index}]`,
        stored,
        'missing from spec.versions; must appear in spec.versions',
      ),
    )
  }
  return errors
}
