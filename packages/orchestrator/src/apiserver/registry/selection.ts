// What a list or watch asks for, as one filter: namespace, label selector and field selector.
import {
  matchesFields,
  parseFieldSelector,
  unsupportedField,
} from '../../resources/field-selector.ts'
import { parseLabelSelector } from '../../resources/label-selector-text.ts'
import { matchesRequirements } from '../../resources/label-selector.ts'
import type { ResourceType } from '../../resources/object.ts'
import { badRequest } from '../api-errors.ts'
import type { CacheFilter } from '../storage/resource-cache.ts'

export interface Selection {
  /** undefined: all namespaces, or a cluster-scoped kind. */
  readonly namespace: string | undefined
  readonly labelSelector: string
  readonly fieldSelector: string
}

/** Throws ApiError BadRequest with upstream's texts. */
export const filterOf = (type: ResourceType, selection: Selection): CacheFilter => {
  const keyPrefix = selection.namespace === undefined ? '' : `${selection.namespace}/`
  const labels = parseLabelSelector(selection.labelSelector)
  if (!labels.ok) throw badRequest(labels.message)
  const fields = parseFieldSelector(selection.fieldSelector)
  if (!fields.ok) throw badRequest(fields.message)
  const unsupported = unsupportedField(type, fields.requirements)
  if (unsupported !== undefined) throw badRequest(unsupported)
  if (labels.requirements.length === 0 && fields.requirements.length === 0) return { keyPrefix }
  const byName = fields.requirements.filter(({ field }) => field === 'metadata.name')
  const byOther = fields.requirements.filter(({ field }) => field !== 'metadata.name')
  return {
    keyPrefix,
    matches: (stored) => {
      const name = stored.key.slice(stored.key.indexOf('/') + 1)
      if (!byName.every(({ operator, value }) => (name === value) === (operator === '='))) {
        return false
      }
      if (labels.requirements.length === 0 && byOther.length === 0) return true
      const { object } = stored
      return (
        matchesRequirements(labels.requirements, object.metadata.labels) &&
        matchesFields(type, byOther, object)
      )
    },
  }
}
