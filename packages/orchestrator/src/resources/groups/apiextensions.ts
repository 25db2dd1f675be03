// The kinds of the group apiextensions.k8s.io.
import { customResourceDefinitionType } from '../custom/custom-resource-definition.ts'
import type { ResourceType } from '../object.ts'

export const apiextensionsTypes: readonly ResourceType[] = [customResourceDefinitionType]
