// The schemas of values that are no messages. Those that Go gives a type of its own have a definition of its name, as upstream's documents
// have them: clients show the name, or know by it how to read the value.
import type { Json } from '../../resources/object.ts'
import type { Field, Message, ScalarType } from '../../resources/schema/messages.ts'

export type Schema = { readonly [key: string]: Json | undefined }

export interface ScalarSchema {
  /** undefined: the schema stands where the value is. */
  readonly name?: string
  readonly schema: Schema
  /** What stands for the value where Go always writes it. */
  readonly zero?: Json
}

/** The two versions of OpenAPI write some of them differently. */
export type Version = 'v2' | 'v3'

const text: Schema = { type: 'string' }
const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1.'
const time = {
  description: 'A time as RFC 3339 writes it.',
  type: 'string',
  format: 'date-time',
}
const anything = { description: 'Any value.' }

const common: Readonly<Record<ScalarType, ScalarSchema>> = {
  string: { schema: text, zero: '' },
  bool: { schema: { type: 'boolean' }, zero: false },
  int32: { schema: { type: 'integer', format: 'int32' }, zero: 0 },
  int64: { schema: { type: 'integer', format: 'int64' }, zero: 0 },
  double: { schema: { type: 'number', format: 'double' }, zero: 0 },
  bytes: { schema: { type: 'string', format: 'byte' } },
  strings: { schema: { type: 'array', items: { ...text, default: '' } } },
  time: { name: `${meta}Time`, schema: time },
  microTime: {
    name: `${meta}MicroTime`,
    schema: { ...time, description: 'A time as RFC 3339 writes it, to the microsecond.' },
  },
  json: {
    name: `${meta}FieldsV1`,
    schema: { description: 'Fields that somebody owns, by their paths.', type: 'object' },
  },
  raw: {
    name: 'io.k8s.apimachinery.pkg.runtime.RawExtension',
    schema: { description: 'An object of any kind.', type: 'object' },
  },
  intOrString: {
    name: 'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
    schema: {
      description: 'A number, or a text such as a name or a percentage.',
      type: 'string',
      format: 'int-or-string',
    },
  },
  quantity: {
    name: 'io.k8s.apimachinery.pkg.api.resource.Quantity',
    schema: {
      description:
        'An amount: a number, and after it m, k, M, G, T, P, E, Ki, Mi, Gi, Ti, Pi or Ei.',
      type: 'string',
    },
  },
}

const choices: Partial<Record<ScalarType, Schema>> = {
  intOrString: {
    description: common.intOrString.schema['description'],
    format: 'int-or-string',
    oneOf: [{ type: 'integer' }, { type: 'string' }],
  },
  quantity: {
    description: common.quantity.schema['description'],
    oneOf: [{ type: 'string' }, { type: 'number' }],
  },
}

/** Fields of definitions of custom kinds that take several forms; upstream has a type for each. */
const formsOfFields: Readonly<Record<string, string>> = {
  'JSONSchemaProps.default': 'JSON',
  'JSONSchemaProps.enum': 'JSON',
  'JSONSchemaProps.example': 'JSON',
  'JSONSchemaProps.items': 'JSONSchemaPropsOrArray',
  'JSONSchemaProps.additionalItems': 'JSONSchemaPropsOrBool',
  'JSONSchemaProps.additionalProperties': 'JSONSchemaPropsOrBool',
  'JSONSchemaProps.dependencies': 'JSONSchemaPropsOrStringArray',
  'CustomResourceSubresources.status': 'CustomResourceSubresourceStatus',
}

export const scalarSchema = (
  version: Version,
  type: ScalarType,
  { name }: Pick<Message, 'name'>,
  field: Pick<Field, 'name'>,
): ScalarSchema => {
  const form = type === 'raw' ? formsOfFields[`${name}.${field.name}`] : undefined
  if (form !== undefined)
    return {
      name: `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.${form}`,
      schema: form.endsWith('Status') ? { ...anything, type: 'object' } : anything,
    }
  const scalar = common[type]
  const schema = version === 'v3' ? choices[type] : undefined
  return schema === undefined ? scalar : { ...scalar, schema }
}
