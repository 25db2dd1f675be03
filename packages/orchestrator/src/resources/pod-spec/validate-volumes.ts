// The rules for a pod's volumes: one source each, and what that source needs.
import { dns1123LabelProblems } from '../names.ts'
import type { FieldError } from '../object.ts'
import { duplicate, forbidden, invalid, invalidEach, notEmpty } from '../validation/field-error.ts'
import type { KeyToPath, Volume } from './pod-spec.ts'

export const validateVolumes = (volumes: readonly Volume[], path: string): FieldError[] => {
  const names = new Set<string>()
  return volumes.flatMap((volume, index) => {
    const at = `${path}[${index}]`
    const errors = [...validateVolumeName(volume.name, `${at}.name`), ...validateSource(volume, at)]
    if (volume.name !== '' && names.has(volume.name)) {
      errors.push(duplicate(`${at}.name`, volume.name))
    }
    names.add(volume.name)
    return errors
  })
}

const validateVolumeName = (name: string, field: string): FieldError[] =>
  name === '' ? notEmpty(field, name) : invalidEach(field, name, dns1123LabelProblems(name))

const validateSource = (volume: Volume, path: string): FieldError[] => {
  const { name: _name, ...sources } = volume
  const extra = Object.keys(sources).slice(1)
  const { configMap, secret, hostPath, persistentVolumeClaim, downwardAPI } = volume
  return [
    ...extra.map((source) =>
      forbidden(`${path}.${source}`, 'may not specify more than 1 volume type'),
    ),
    ...(configMap === undefined
      ? []
      : [
          ...notEmpty(`${path}.configMap.name`, configMap.name),
          ...validateItems(configMap.items ?? [], `${path}.configMap.items`),
        ]),
    ...(secret === undefined
      ? []
      : [
          ...notEmpty(`${path}.secret.secretName`, secret.secretName),
          ...validateItems(secret.items ?? [], `${path}.secret.items`),
        ]),
    ...(hostPath === undefined ? [] : validateHostPath(hostPath.path, `${path}.hostPath.path`)),
    ...(persistentVolumeClaim === undefined
      ? []
      : notEmpty(`${path}.persistentVolumeClaim.claimName`, persistentVolumeClaim.claimName)),
    ...(downwardAPI?.items ?? []).flatMap((item, index) =>
      validateInnerPath(item.path, `${path}.downwardAPI.items[${index}].path`),
    ),
  ]
}

const validateItems = (items: readonly KeyToPath[], path: string): FieldError[] =>
  items.flatMap((item, index) => [
    ...notEmpty(`${path}[${index}].key`, item.key),
    ...validateInnerPath(item.path, `${path}[${index}].path`),
    ...(item.mode === undefined || (item.mode >= 0 && item.mode <= 0o777)
      ? []
      : [
          invalid(
            `${path}[${index}].mode`,
            item.mode,
            'must be a number between 0 and 0777 (octal), both inclusive',
          ),
        ]),
  ])

const validateHostPath = (path: string, field: string): FieldError[] =>
  path.split('/').includes('..')
    ? [invalid(field, path, "must not contain '..'")]
    : notEmpty(field, path)

/** A file's place inside its volume: it must stay there. */
const validateInnerPath = (path: string, field: string): FieldError[] => [
  ...notEmpty(field, path),
  ...(path.startsWith('/') ? [invalid(field, path, 'must be a relative path')] : []),
  ...(path.split('/').includes('..') ? [invalid(field, path, "must not contain '..'")] : []),
  ...(path.startsWith('..') && !path.split('/').includes('..')
    ? [invalid(field, path, "must not start with '..'")]
    : []),
]
