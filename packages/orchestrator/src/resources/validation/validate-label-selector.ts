// The rules for selector objects: keys, operators and their values.
import { labelValueProblems, qualifiedNameProblems } from '../names.ts'
import type { FieldError, LabelSelector } from '../object.ts'
import { forbidden, invalid, required } from './field-error.ts'
import { validateLabels } from './validate-metadata.ts'

type Expression = NonNullable<LabelSelector['matchExpressions']>[number]

export const validateLabelSelector = (path: string, selector: LabelSelector): FieldError[] => [
  ...validateLabels(`${path}.matchLabels`, selector.matchLabels),
  ...(selector.matchExpressions ?? []).flatMap((expression, index) =>
    validateExpression(`${path}.matchExpressions[${index}]`, expression),
  ),
]

const validateExpression = (path: string, expression: Expression): FieldError[] => [
  ...validateOperator(path, expression),
  ...qualifiedNameProblems(expression.key).map((problem) =>
    invalid(`${path}.key`, expression.key, problem),
  ),
  ...(expression.values ?? []).flatMap((value, index) =>
    labelValueProblems(value).map((problem) => invalid(`${path}.values[${index}]`, value, problem)),
  ),
]

const validateOperator = (path: string, { operator, values }: Expression): FieldError[] => {
  switch (operator) {
    case 'In':
    case 'NotIn':
      return (values ?? []).length > 0
        ? []
        : [required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'")]
    case 'Exists':
    case 'DoesNotExist':
      return (values ?? []).length === 0
        ? []
        : [
            forbidden(
              `${path}.values`,
              "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
            ),
          ]
    default:
      return [invalid(`${path}.operator`, operator, 'not a valid selector operator')]
  }
}
