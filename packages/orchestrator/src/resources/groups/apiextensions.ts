// The kinds of the group apiextensions.k8s.io.
import type { ResourceType } from '../object.ts'

export const apiextensionsTypes: readonly ResourceType[] = []
