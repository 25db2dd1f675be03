// matchConditions of policies and webhooks: expressions that must all be true of a request.
import { qualifiedNameProblems } from '../names.ts'
import type { FieldError } from '../object.ts'
import { duplicate, invalid, invalidEach, required } from '../validation/field-error.ts'

export interface MatchCondition {
  readonly name: string
  readonly expression: string
}

const conditionsMax = 64

/** All but whether the expressions compile. */
export const validateMatchConditions = (
  conditions: readonly MatchCondition[],
  field: string,
): FieldError[] => {
  const errors: FieldError[] = []
  if (conditions.length > conditionsMax) {
    const message = `Too many: ${conditions.length}: must have at most ${conditionsMax} items`
    errors.push({ ...invalid(field, conditions.length, ''), message })
  }
  const names = conditions.map(({ name }) => name)
  for (const [index, { name, expression }] of conditions.entries()) {
    const at = `${field}[${index}]`
    if (expression.trim() === '') errors.push(required(`${at}.expression`))
    if (name === '') errors.push(required(`${at}.name`))
    else if (names.indexOf(name) < index) errors.push(duplicate(`${at}.name`, name))
    else errors.push(...invalidEach(`${at}.name`, name, qualifiedNameProblems(name)))
  }
  return errors
}
