// Where objects are in the store: the key layout of Kubernetes' own etcd contents, so that tools that read those read ours.

const root = '/registry/'

/** Kinds whose place does not follow from their plural. */
const places: Readonly<Record<string, string>> = {
  '/nodes': 'minions',
  '/services': 'services/specs',
  '/endpoints': 'services/endpoints',
  '/replicationcontrollers': 'controllers',
  'networking.k8s.io/ingresses': 'ingress',
  'apiextensions.k8s.io/customresourcedefinitions':
    'apiextensions.k8s.io/customresourcedefinitions',
  'apiregistration.k8s.io/apiservices': 'apiregistration.k8s.io/apiservices',
}

export const registryPrefix: string = root

/** Every key of the collection begins with it; ends in '/'. */
export const collectionPrefix = (type: {
  readonly group: string
  readonly plural: string
}): string => `${root}${places[`${type.group}/${type.plural}`] ?? type.plural}/`

/** The part of a key below its collection: `NAMESPACE/NAME` or `NAME`. */
export const keyBelow = (namespace: string | undefined, name: string): string =>
  namespace === undefined ? name : `${namespace}/${name}`
