// PodTemplate: a template of pods kept by itself, for whoever makes pods from it.
import { column, nameColumn } from './columns.ts'
import { dns1123SubdomainProblems } from './names.ts'
import type { KubeObject, ResourceType } from './object.ts'
import { podSpecDefaults } from './pod-spec/pod-spec-defaults.ts'
import type { PodTemplateSpec } from './pod-spec/pod-spec.ts'
import { containerImages, containerNames, selectorText } from './pod-spec/template-cells.ts'
import { validatePodSpec } from './pod-spec/validate-pod-spec.ts'
import { allVerbs } from './update-rules.ts'
import {
  validateAnnotations,
  validateLabels,
  validateMetadata,
  validateMetadataUpdate,
} from './validation/validate-metadata.ts'

export interface PodTemplate extends KubeObject {
  readonly template: PodTemplateSpec
}

export const podTemplateType: ResourceType<PodTemplate> = {
  group: '',
  version: 'v1',
  kind: 'PodTemplate',
  plural: 'podtemplates',
  singular: 'podtemplate',
  shortNames: [],
  categories: [],
  namespaced: true,
  verbs: allVerbs,
  subresources: {},
  defaults: (object) => ({
    ...object,
    template: { ...object.template, spec: podSpecDefaults(object.template.spec) },
  }),
  validate: ({ metadata, template }) => [
    ...validateMetadata(metadata, dns1123SubdomainProblems),
    ...validateLabels('template.labels', template.metadata?.labels),
    ...validateAnnotations('template.annotations', template.metadata?.annotations),
    ...validatePodSpec(template.spec, 'template.spec'),
  ],
  validateUpdate: (object, old) => validateMetadataUpdate(object.metadata, old.metadata),
  columns: [
    nameColumn,
    column('Containers', 'Names of the containers in the template.'),
    column('Images', 'Images of the containers in the template.'),
    column('Pod Labels', 'The labels of the pods.'),
  ],
  cells: ({ metadata, template }) => [
    metadata.name ?? '',
    containerNames(template.spec),
    containerImages(template.spec),
    selectorText({ matchLabels: template.metadata?.labels ?? {} }),
  ],
}
