// What a request asks of the registry besides its object.

import type { ResourceType } from '../../resources/object.ts'
import type { User } from '../access/user.ts'

export interface WriteOptions {
  readonly user: User
  /** Everything is checked and answered, nothing stored. */
  readonly dryRun: boolean
  /** Who owns the fields written; '' where the client did not say. */
  readonly fieldManager: string
  /** A server-side apply, which brings its own account of who owns what. */
  readonly isApply?: boolean
  /** Who owns which field is accounted for even where nobody has applied the object. */
  readonly tracksFields?: boolean
  /** A create that a PUT or an apply of a missing object turned into: its user must have the right to create too. */
  readonly isCreateOnUpdate?: boolean
  /** The version that the request speaks, where it may have rules of its own. */
  readonly servedType?: ResourceType
  /** Adds a text that the client shows to its user. */
  readonly warn?: (text: string) => void
  /** Adds a note to the audit event of the request. */
  readonly annotate?: (key: string, text: string) => void
}

export interface DeleteOptions extends WriteOptions {
  readonly gracePeriodSeconds: number | undefined
  readonly uid: string | undefined
  readonly resourceVersion: string | undefined
  readonly propagationPolicy: 'Background' | 'Foreground' | 'Orphan' | undefined
}

export interface ListQuery {
  /** 0: no limit. */
  readonly limit: number
  readonly continue: string
  /** As sent: '' where left out. */
  readonly resourceVersion: string
  readonly resourceVersionMatch: string
}
