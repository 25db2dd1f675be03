// The options that come in the query of a request, checked as upstream checks them.
import { ApiError } from '../../client/api-client.ts'
import { badRequest, invalid } from '../api-errors.ts'
import type { FieldError } from '../../resources/object.ts'
import type { FieldValidation } from '../registry/decode.ts'
import { parseResourceVersion } from '../registry/list-reader.ts'
import type { ListQuery, WriteOptions } from '../registry/request-options.ts'
import type { Exchange } from './exchange.ts'
import type { IncludeObject } from './forms.ts'

const fieldManagerLengthMax = 128

/** As upstream reads it: everything that is there is true but for `0` and `false`, which clients in Python write `False`. */
export const flag = (query: URLSearchParams, name: string): boolean => {
  const value = query.get(name)
  return value !== null && value !== '0' && value.toLowerCase() !== 'false'
}

/** undefined where it is left out. Throws ApiError BadRequest. */
export const wholeNumber = (query: URLSearchParams, name: string): number | undefined => {
  const text = query.get(name)
  if (text === null || text === '') return undefined
  const number = Number(text)
  if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(number)) {
    throw badRequest(
      `strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax (parameter ${name})`,
    )
  }
  return number
}

export const listQuery = (query: URLSearchParams): ListQuery => {
  const resourceVersion = query.get('resourceVersion') ?? ''
  const resourceVersionMatch = query.get('resourceVersionMatch') ?? ''
  parseResourceVersion(resourceVersion)
  wholeNumber(query, 'timeoutSeconds')
  if (resourceVersionMatch !== '') {
    const refuse = (detail: string): ApiError =>
      invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', [
        { reason: 'FieldValueForbidden', field: 'resourceVersionMatch', message: detail },
      ])
    if (resourceVersion === '') {
      throw refuse(
        'Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
      )
    }
    if (resourceVersionMatch !== 'Exact' && resourceVersionMatch !== 'NotOlderThan') {
      throw refuse(
        `Unsupported value: ${JSON.stringify(resourceVersionMatch)}: supported values: "Exact", "NotOlderThan"`,
      )
    }
    if (resourceVersionMatch === 'Exact' && resourceVersion === '0') {
      throw refuse('Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"')
    }
  }
  return {
    limit: Math.max(0, wholeNumber(query, 'limit') ?? 0),
    continue: query.get('continue') ?? '',
    resourceVersion,
    resourceVersionMatch,
  }
}

export const includeObject = (query: URLSearchParams): IncludeObject => {
  const value = query.get('includeObject') ?? 'Metadata'
  if (value === 'None' || value === 'Metadata' || value === 'Object') return value
  throw badRequest(`unrecognized includeObject value: ${JSON.stringify(value)}`)
}

/** For create, update and patch. `dryRunInBody`: that of DeleteOptions. */
export const writeOptions = (
  exchange: Exchange,
  dryRunInBody: readonly string[] = [],
): WriteOptions => {
  const dryRun = [...exchange.query.getAll('dryRun').filter((one) => one !== ''), ...dryRunInBody]
  const wrong = dryRun.find((one) => one !== 'All')
  if (wrong !== undefined) {
    throw invalidOption(exchange, {
      reason: 'FieldValueNotSupported',
      field: 'dryRun',
      message: `Unsupported value: ${JSON.stringify(dryRun)}: supported values: "All"`,
    })
  }
  const agent = exchange.header('user-agent').split('/', 1)[0] ?? ''
  const fieldManager = askedManager(exchange) || agent || 'unknown'
  return {
    user: exchange.user,
    dryRun: dryRun.length > 0,
    tracksFields: true,
    fieldManager: fieldManager.slice(0, fieldManagerLengthMax),
    warn: (text) => {
      exchange.warn(text)
    },
    annotate: (key, text) => {
      exchange.annotations[key] = text
    },
  }
}

/** '' where none is asked for. Throws ApiError Invalid. */
const askedManager = (exchange: Exchange): string => {
  const asked = exchange.query.get('fieldManager') ?? ''
  const field = 'fieldManager'
  if (asked.length > fieldManagerLengthMax) {
    const message = `Too long: may not be more than ${fieldManagerLengthMax} bytes`
    throw invalidOption(exchange, { reason: 'FieldValueTooLong', field, message })
  }
  if (/\p{C}/u.test(asked)) {
    const message = `Invalid value: ${JSON.stringify(asked)}: should only contain printable characters`
    throw invalidOption(exchange, { reason: 'FieldValueInvalid', field, message })
  }
  return asked
}

const optionKinds: Readonly<Record<string, string>> = {
  POST: 'CreateOptions',
  PUT: 'UpdateOptions',
  PATCH: 'PatchOptions',
  DELETE: 'DeleteOptions',
}

/** What is said of a request whose options are wrong. */
export const invalidOption = ({ method }: Exchange, error: FieldError): ApiError =>
  invalid({ group: 'meta.k8s.io', kind: optionKinds[method] ?? 'ListOptions' }, '', [error])

export const fieldValidation = (exchange: Exchange): FieldValidation => {
  const value = exchange.query.get('fieldValidation') ?? ''
  if (value === '') return 'Warn'
  if (value === 'Strict' || value === 'Warn' || value === 'Ignore') return value
  throw invalidOption(exchange, {
    reason: 'FieldValueNotSupported',
    field: 'fieldValidation',
    message: `Unsupported value: ${JSON.stringify(value)}: supported values: "Ignore", "Strict", "Warn"`,
  })
}
