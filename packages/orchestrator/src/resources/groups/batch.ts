// The kinds of the group batch.
import type { ResourceType } from '../object.ts'

export const batchTypes: readonly ResourceType[] = []
