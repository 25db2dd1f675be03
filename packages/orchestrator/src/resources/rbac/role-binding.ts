// RoleBinding and ClusterRoleBinding: who has the rights of a role, in one namespace or everywhere. The role cannot be changed later.
import { ageColumn, column, nameColumn, wideColumn } from '../columns.ts'
import { ageOf } from '../human-duration.ts'
import { jsonEqual } from '../json-equal.ts'
import { dns1123SubdomainProblems, pathSegmentProblems } from '../names.ts'
import type { Cell, FieldError, KubeObject, ResourceType } from '../object.ts'
import { allVerbs } from '../update-rules.ts'
import { invalid, invalidEach, notSupported, required } from '../validation/field-error.ts'
import { validateMetadata, validateMetadataUpdate } from '../validation/validate-metadata.ts'
import { rbacGroup } from './policy-rule.ts'

export interface RoleRef {
  readonly apiGroup: string
  readonly kind: string
  readonly name: string
}

export interface Subject {
  readonly kind: string
  readonly apiGroup?: string
  readonly name: string
  /** Of ServiceAccounts. */
  readonly namespace?: string
}

export interface RoleBinding extends KubeObject {
  readonly subjects?: readonly Subject[]
  readonly roleRef: RoleRef
}

const shared = {
  group: rbacGroup,
  version: 'v1',
  shortNames: [],
  categories: [],
  verbs: allVerbs,
  subresources: {},
  columns: [
    nameColumn,
    column('Role', 'The role that is given.'),
    ageColumn,
    wideColumn('Users', 'The users who have the role.'),
    wideColumn('Groups', 'The groups who have the role.'),
    wideColumn('ServiceAccounts', 'The service accounts that have the role.'),
  ],
  defaults: withApiGroups,
  validateUpdate,
  cells,
} as const

export const roleBindingType: ResourceType<RoleBinding> = {
  ...shared,
  kind: 'RoleBinding',
  plural: 'rolebindings',
  singular: 'rolebinding',
  namespaced: true,
  validate: (object) => validate(object, true),
}

export const clusterRoleBindingType: ResourceType<RoleBinding> = {
  ...shared,
  kind: 'ClusterRoleBinding',
  plural: 'clusterrolebindings',
  singular: 'clusterrolebinding',
  namespaced: false,
  validate: (object) => validate(object, false),
}

function withApiGroups(object: RoleBinding): RoleBinding {
  const roleRef =
    object.roleRef.apiGroup === ''
      ? { apiGroup: rbacGroup, kind: object.roleRef.kind, name: object.roleRef.name }
      : object.roleRef
  const subjects = object.subjects?.map((subject) =>
    (subject.apiGroup ?? '') === '' && (subject.kind === 'User' || subject.kind === 'Group')
      ? { ...subject, apiGroup: rbacGroup }
      : subject,
  )
  return { ...object, ...(subjects === undefined ? {} : { subjects }), roleRef }
}

function validate(object: RoleBinding, isNamespaced: boolean): FieldError[] {
  const { roleRef } = object
  const kinds = isNamespaced ? ['Role', 'ClusterRole'] : ['ClusterRole']
  return [
    ...validateMetadata(object.metadata, pathSegmentProblems),
    ...(roleRef.apiGroup === rbacGroup
      ? []
      : [notSupported('roleRef.apiGroup', roleRef.apiGroup, [rbacGroup])]),
    ...(kinds.includes(roleRef.kind) ? [] : [notSupported('roleRef.kind', roleRef.kind, kinds)]),
    ...(roleRef.name === ''
      ? [required('roleRef.name')]
      : invalidEach('roleRef.name', roleRef.name, pathSegmentProblems(roleRef.name))),
    ...(object.subjects ?? []).flatMap((subject, index) =>
      validateSubject(subject, `subjects[${index}]`, isNamespaced),
    ),
  ]
}

function validateSubject(subject: Subject, path: string, isNamespaced: boolean): FieldError[] {
  const { kind, name, apiGroup = '', namespace = '' } = subject
  const errors = name === '' ? [required(`${path}.name`)] : []
  switch (kind) {
    case 'ServiceAccount':
      if (name !== '')
        errors.push(...invalidEach(`${path}.name`, name, dns1123SubdomainProblems(name)))
      if (apiGroup !== '') errors.push(notSupported(`${path}.apiGroup`, apiGroup, ['']))
      if (!isNamespaced && namespace === '') errors.push(required(`${path}.namespace`))
      return errors
    case 'User':
    case 'Group':
      if (apiGroup !== rbacGroup) {
        errors.push(notSupported(`${path}.apiGroup`, apiGroup, [rbacGroup]))
      }
      return errors
    default:
      return [...errors, notSupported(`${path}.kind`, kind, ['Group', 'ServiceAccount', 'User'])]
  }
}

function validateUpdate(object: RoleBinding, old: RoleBinding): FieldError[] {
  const errors = validateMetadataUpdate(object.metadata, old.metadata)
  return jsonEqual(object.roleRef, old.roleRef)
    ? errors
    : [...errors, invalid('roleRef', object.roleRef, 'cannot change roleRef')]
}

function cells(object: RoleBinding, now: number): Cell[] {
  const names = (kind: string): string =>
    (object.subjects ?? [])
      .filter((subject) => subject.kind === kind)
      .map(({ namespace, name }) =>
        kind === 'ServiceAccount' ? `${namespace ?? ''}/${name}` : name,
      )
      .join(', ')
  return [
    object.metadata.name ?? '',
    `${object.roleRef.kind}/${object.roleRef.name}`,
    ageOf(object.metadata.creationTimestamp, now),
    names('User'),
    names('Group'),
    names('ServiceAccount'),
  ]
}
