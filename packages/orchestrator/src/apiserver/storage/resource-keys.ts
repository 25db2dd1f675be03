// Where objects are in the store: the key layout of Kubernetes' own etcd contents, so that tools that read those read ours.

const root = '/registry/'

/** Kinds whose place does not follow from their plural. */
const places: Readonly<Record<string, string>> = {
  '/nodes': 'minions',
  '/services': 'services/specs',
  '/endpoints': 'services/endpoints',
  '/replicationcontrollers': 'controllers',
  'networking.k8s.io/ingresses': 'ingress',
}

/** Groups whose kinds lie beside those of the core group; all other groups have a folder of their own. */
const builtInGroups = new Set([
  '',
  'apps',
  'batch',
  'autoscaling',
  'policy',
  ...[
    'admissionregistration',
    'authentication',
    'authorization',
    'certificates',
    'coordination',
    'discovery',
    'events',
    'networking',
    'node',
    'resource',
    'scheduling',
    'storage',
    'rbac.authorization',
    'flowcontrol.apiserver',
  ].map((name) => `${name}.k8s.io`),
])

export const registryPrefix: string = root

/** Every key of the collection begins with it; ends in '/'. */
export const collectionPrefix = (type: {
  readonly group: string
  readonly plural: string
}): string => {
  const place = places[`${type.group}/${type.plural}`]
  if (place !== undefined) return `${root}${place}/`
  return builtInGroups.has(type.group)
    ? `${root}${type.plural}/`
    : `${root}${type.group}/${type.plural}/`
}

/** The part of a key below its collection: `NAMESPACE/NAME` or `NAME`. */
export const keyBelow = (namespace: string | undefined, name: string): string =>
  namespace === undefined ? name : `${namespace}/${name}`
