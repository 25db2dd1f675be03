// In which order groups and versions are shown: upstream's priorities of what is built in, and that of kinds that users bring.

export interface Priority {
  /** Of the group among groups; more is earlier. */
  readonly group: number
  /** Of the version in its group; more is earlier. */
  readonly version: number
}

const customPriority: Priority = { group: 1000, version: 100 }

const groups: Readonly<Record<string, number>> = {
  '': 18_000,
  apps: 17_800,
  'events.k8s.io': 17_750,
  'authentication.k8s.io': 17_700,
  'authorization.k8s.io': 17_600,
  autoscaling: 17_500,
  batch: 17_400,
  'certificates.k8s.io': 17_300,
  'networking.k8s.io': 17_200,
  // What is left of a group that has moved; still before those that users bring.
  extensions: 17_150,
  policy: 17_100,
  'rbac.authorization.k8s.io': 17_000,
  'storage.k8s.io': 16_800,
  'apiextensions.k8s.io': 16_700,
  'admissionregistration.k8s.io': 16_700,
  'scheduling.k8s.io': 16_600,
  'coordination.k8s.io': 16_500,
  'node.k8s.io': 16_300,
  'discovery.k8s.io': 16_200,
  'flowcontrol.apiserver.k8s.io': 16_100,
  // As the manifests of metrics-server say.
  'metrics.k8s.io': 100,
}

/** Of a group version that this server serves; `isCustom`: by a CustomResourceDefinition. */
export const priorityOf = (group: string, version: string, isCustom: boolean): Priority => {
  const known = isCustom ? undefined : groups[group]
  return known === undefined ? customPriority : { group: known, version: versionPriority(version) }
}

/** Later versions first, and stable ones before betas. */
const versionPriority = (version: string): number => {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version)
  if (match === null) return customPriority.version
  const [, major = '1', stage, minor = '0'] = match
  if (stage === undefined) return 15 * Math.min(10, Number(major))
  return stage === 'beta' ? 8 + Math.min(5, Number(minor)) : Math.min(8, Number(minor))
}
