// /healthz, /livez and /readyz, whole or one check of them, with the names that upstream's checks have. What its hooks do after a start is
// done here before the first request is taken, so that they have always ended well.
import type { Exchange } from './exchange.ts'
import { flag } from './query-options.ts'

const hooks = [
  'start-apiserver-admission-initializer',
  'start-kube-apiserver-admission-initializer',
  'generic-apiserver-start-informers',
  'priority-and-fairness-config-consumer',
  'priority-and-fairness-filter',
  'storage-object-count-tracker-hook',
  'start-apiextensions-informers',
  'start-apiextensions-controllers',
  'crd-informer-synced',
  'start-system-namespaces-controller',
  'start-cluster-authentication-info-controller',
  'start-legacy-token-tracking-controller',
  'start-service-ip-repair-controllers',
  'start-kubernetes-service-cidr-controller',
  'rbac/bootstrap-roles',
  'scheduling/bootstrap-system-priority-classes',
  'priority-and-fairness-config-producer',
  'bootstrap-controller',
  'start-kube-aggregator-informers',
  'apiservice-status-available-controller',
  'apiservice-status-local-available-controller',
  'apiservice-status-remote-available-controller',
  'apiservice-registration-controller',
  'apiservice-discovery-controller',
  'kube-apiserver-autoregistration',
].map((name) => `poststarthook/${name}`)
const always = [
  ...hooks,
  'autoregister-completion',
  'poststarthook/apiservice-openapi-controller',
  'poststarthook/apiservice-openapiv3-controller',
]
/** What waits for the store. */
const storeChecks = new Set(['etcd', 'etcd-readiness', 'informer-sync'])

/** `first`: which of the three; `isReady`: whether the store has been read. */
export const sendHealth = (exchange: Exchange, first: string, isReady: boolean): void => {
  const names = [
    'ping',
    'log',
    'etcd',
    ...(first === 'readyz' ? ['etcd-readiness', 'informer-sync'] : []),
    ...always,
    ...(first === 'readyz' ? ['shutdown'] : []),
  ]
  const isWell = (name: string): boolean => first === 'livez' || isReady || !storeChecks.has(name)
  const asked = exchange.path.split('/').slice(2).join('/')
  if (asked !== '') {
    sendOne(exchange, names.includes(asked) ? isWell(asked) : undefined)
    return
  }
  const excluded = new Set(exchange.query.getAll('exclude'))
  const isPassed = names.every((name) => excluded.has(name) || isWell(name))
  const lines = names.map((name) => {
    if (excluded.has(name)) return `[+]${name} excluded: ok`
    return isWell(name) ? `[+]${name} ok` : `[-]${name} failed: reason withheld`
  })
  const unknown = [...excluded].filter((name) => !names.includes(name))
  if (unknown.length > 0) {
    const list = unknown.map((name) => JSON.stringify(name)).join(',')
    lines.push(`warn: some health checks cannot be excluded: no matches for ${list}`)
  }
  const text = `${[...lines, `${first} check ${isPassed ? 'passed' : 'failed'}`].join('\n')}\n`
  const body = flag(exchange.query, 'verbose') || !isPassed ? text : 'ok'
  exchange.send(isPassed ? 200 : 500, plain, body)
}

const plain = 'text/plain; charset=utf-8'

/** undefined: there is no such check. */
const sendOne = (exchange: Exchange, isWell: boolean | undefined): void => {
  if (isWell === undefined) exchange.send(404, plain, '404 page not found\n')
  else exchange.send(isWell ? 200 : 500, plain, isWell ? 'ok' : 'internal server error: failed\n')
}
