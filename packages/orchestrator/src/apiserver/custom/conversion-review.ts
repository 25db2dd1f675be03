// The question that a conversion webhook is asked and what counts as an answer (apiextensions.k8s.io ConversionReview), with upstream's texts.
import type { Json, KubeObject } from '../../resources/object.ts'
import { isJsonObject } from '../../resources/patch/patch-result.ts'

const group = 'apiextensions.k8s.io'
/** The versions of the review that are spoken, the preferred one first. */
export const reviewVersions = ['v1', 'v1beta1'] as const

export interface ConversionQuestion {
  readonly uid: string
  /** Of the review. */
  readonly apiVersion: string
  readonly body: Json
}

/** `known`: the versions of the review that the webhook understands, in its order. Throws Error where we speak none of them. */
export const conversionReview = (
  objects: readonly KubeObject[],
  desiredAPIVersion: string,
  of: { readonly known: readonly string[]; readonly uid: string },
): ConversionQuestion => {
  const version = of.known.find((one) => (reviewVersions as readonly string[]).includes(one))
  if (version === undefined) throw new Error('no supported conversion review versions')
  const apiVersion = `${group}/${version}`
  return {
    uid: of.uid,
    apiVersion,
    body: {
      kind: 'ConversionReview',
      apiVersion,
      request: { uid: of.uid, desiredAPIVersion, objects: objects as unknown as Json },
    },
  }
}

/** The objects of an answer. Throws Error with upstream's text. */
export const readConverted = (answer: Json, question: ConversionQuestion): readonly Json[] => {
  const review = isJsonObject(answer) ? answer : {}
  const [apiVersion, kind] = [textOf(review['apiVersion']), textOf(review['kind'])]
  if (apiVersion !== question.apiVersion || kind !== 'ConversionReview') {
    throw new Error(
      `expected webhook response of ${question.apiVersion}, Kind=ConversionReview, got ${apiVersion}, Kind=${kind}`,
    )
  }
  const { response } = review
  if (!isJsonObject(response)) throw new Error('no response provided')
  const { uid } = response
  if (uid !== question.uid) {
    throw new Error(
      `expected response.uid=${JSON.stringify(question.uid)}, got ${JSON.stringify(textOf(uid))}`,
    )
  }
  const result = isJsonObject(response['result']) ? response['result'] : {}
  if (result['status'] !== 'Success') {
    const message = textOf(result['message'])
    throw new Error(
      message === ''
        ? `response.result.status was '${textOf(result['status'])}', not 'Success'`
        : message,
    )
  }
  const { convertedObjects } = response
  return Array.isArray(convertedObjects) ? (convertedObjects as readonly Json[]) : []
}

/**
 * The converted object with the metadata that it had before, but for labels and annotations, which are the webhook's to change.
 * Throws Error with what follows "conversion webhook for KIND returned" in upstream's text.
 */
export const checkedConversion = (
  original: KubeObject,
  converted: Json,
  desiredAPIVersion: string,
): KubeObject => {
  if (!isJsonObject(converted)) throw new Error('invalid object at index 0: it is no object')
  const { apiVersion, kind, metadata } = converted
  if (apiVersion !== desiredAPIVersion) {
    throw new Error(
      `invalid object at index 0: invalid groupVersion (expected ${desiredAPIVersion}, received ${textOf(apiVersion)})`,
    )
  }
  if (kind !== original.kind) {
    throw new Error(
      `invalid object at index 0: invalid kind (expected ${original.kind}, received ${textOf(kind)})`,
    )
  }
  if (!isJsonObject(metadata)) {
    throw new Error('invalid metadata: invalid metadata of type <nil> in converted object')
  }
  for (const [field, label] of [
    ['name', 'name'],
    ['namespace', 'namespace'],
    ['uid', 'UID'],
  ] as const) {
    const [before, after] = [original.metadata[field] ?? '', metadata[field] ?? '']
    if (before !== after) {
      throw new Error(`invalid object: must have the same ${label}: ${before} != ${textOf(after)}`)
    }
  }
  const { labels: _labels, annotations: _annotations, ...kept } = original.metadata
  const labels = textsOf(metadata['labels'], 'metadata.labels')
  const annotations = textsOf(metadata['annotations'], 'metadata.annotations')
  return {
    ...converted,
    apiVersion: desiredAPIVersion,
    kind: original.kind,
    metadata: {
      ...kept,
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
  }
}

const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '')

const textsOf = (
  value: Json | undefined,
  field: string,
): Readonly<Record<string, string>> | undefined => {
  if (value === undefined || value === null) return undefined
  const isTexts =
    isJsonObject(value) && Object.values(value).every((one) => typeof one === 'string')
  if (!isTexts) {
    throw new Error(`invalid metadata: ${field}: Invalid value: must be a map of strings`)
  }
  return value as Readonly<Record<string, string>>
}
