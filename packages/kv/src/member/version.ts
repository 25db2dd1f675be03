// What this server says it is compatible with. Clients parse it as a semantic version.

/** etcd's version whose API is spoken. */
export const etcdVersion = '3.6.0'
/** The cluster version that goes with it. */
export const etcdClusterVersion = '3.6.0'
