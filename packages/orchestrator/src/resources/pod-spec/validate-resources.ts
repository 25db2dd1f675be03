// The rules for what a container requests and is limited to.
import { qualifiedNameProblems } from '../names.ts'
import type { FieldError } from '../object.ts'
import { compareQuantities, parseQuantity } from '../quantity.ts'
import { invalid, invalidEach } from '../validation/field-error.ts'
import type { ResourceList, ResourceRequirements } from './pod-spec.ts'

const standardResources: readonly string[] = ['cpu', 'memory', 'ephemeral-storage']

export const validateResources = (resources: ResourceRequirements, path: string): FieldError[] => {
  const { limits = {}, requests = {} } = resources
  return [
    ...validateList(limits, `${path}.limits`),
    ...validateList(requests, `${path}.requests`),
    ...Object.entries(requests).flatMap(([name, text]) => {
      const limitText = Object.hasOwn(limits, name) ? limits[name] : undefined
      const request = parseQuantity(text)
      const limit = limitText === undefined ? undefined : parseQuantity(limitText)
      if (request === undefined || limit === undefined) return []
      return compareQuantities(request, limit) > 0
        ? [
            invalid(
              `${path}.requests`,
              text,
              `must be less than or equal to ${name} limit of ${limitText}`,
            ),
          ]
        : []
    }),
  ]
}

const validateList = (list: ResourceList, path: string): FieldError[] =>
  Object.entries(list).flatMap(([name, text]) => {
    const field = `${path}[${name}]`
    const quantity = parseQuantity(text)
    return [
      ...validateResourceName(name, field),
      ...(quantity !== undefined && quantity.value < 0n
        ? [invalid(field, text, 'must be greater than or equal to 0')]
        : []),
    ]
  })

const validateResourceName = (name: string, field: string): FieldError[] => {
  const problems = qualifiedNameProblems(name)
  if (problems.length > 0) return invalidEach(field, name, problems)
  const isKnown =
    standardResources.includes(name) || name.startsWith('hugepages-') || name.includes('/')
  return isKnown
    ? []
    : [invalid(field, name, 'must be a standard resource type or fully qualified')]
}
