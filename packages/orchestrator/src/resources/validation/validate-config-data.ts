// What ConfigMaps and Secrets share: keys that can be file names, and a limit on what they hold.
import { base64SizeBytes, utf8SizeBytes } from '../base64.ts'
import { configKeyProblems } from '../names.ts'
import type { FieldError } from '../object.ts'
import { invalid, tooLong } from './field-error.ts'

type DataMap = Readonly<Record<string, string>> | undefined

/** As upstream: one object holds at most 1 MiB. */
const dataSizeBytesMax = 1024 * 1024

export const validateConfigKeys = (field: string, data: DataMap): FieldError[] =>
  Object.keys(data ?? {}).flatMap((key) =>
    configKeyProblems(key).map((problem) => invalid(`${field}[${key}]`, key, problem)),
  )

/** A key stands in one of the two maps only. */
export const duplicateKeys = (field: string, data: DataMap, binaryData: DataMap): FieldError[] =>
  Object.keys(data ?? {})
    .filter((key) => Object.hasOwn(binaryData ?? {}, key))
    .map((key) => invalid(field, key, 'duplicate of key present in binaryData'))

/** `texts` holds text, `bytes` base64. */
export const validateDataSize = (
  data: { readonly texts?: DataMap; readonly bytes?: DataMap },
  field: string,
): FieldError[] => {
  const textBytes = Object.values(data.texts ?? {}).map(utf8SizeBytes)
  const binaryBytes = Object.values(data.bytes ?? {}).map(base64SizeBytes)
  const sizeBytes = [...textBytes, ...binaryBytes].reduce((sum, size) => sum + size, 0)
  return sizeBytes > dataSizeBytesMax ? [tooLong(field, dataSizeBytesMax)] : []
}
