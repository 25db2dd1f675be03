// Tokens with which a machine joins: `ID.SECRET`, kept in the Secret bootstrap-token-ID of kube-system, in clear and for a time.
import { timingSafeEqual } from 'node:crypto'
import type { Secret } from '../../../resources/secret.ts'
import type { Registry } from '../../registry/registry.ts'
import { authenticatedGroup } from '../user.ts'
import type { TokenSource, TokenUser } from './token-authenticator.ts'

const tokenPattern = /^([a-z0-9]{6})\.([a-z0-9]{16})$/
const bootstrappers = 'system:bootstrappers'
const extraGroup = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/
const secretType = 'bootstrap.kubernetes.io/token'

export class BootstrapTokens implements TokenSource {
  readonly isQuick = true
  readonly #secrets: () => Registry
  readonly #now: () => number

  constructor(secrets: () => Registry, now: () => number) {
    this.#secrets = secrets
    this.#now = now
  }

  authenticate(token: string, audiences: readonly string[]): TokenUser | undefined {
    const [, id = '', secret = ''] = tokenPattern.exec(token) ?? []
    if (id === '') return undefined
    const stored = this.#secrets().cache.get(`kube-system/bootstrap-token-${id}`)?.object as
      | Secret
      | undefined
    if (stored?.type !== secretType || stored.metadata.deletionTimestamp !== undefined) {
      return undefined
    }
    const text = (key: string): string =>
      Buffer.from(stored.data?.[key] ?? '', 'base64').toString('utf8')
    const expires = text('expiration')
    const isValid =
      text('token-id') === id &&
      isSameText(text('token-secret'), secret) &&
      text('usage-bootstrap-authentication') === 'true' &&
      (expires === '' || Date.parse(expires) > this.#now())
    if (!isValid) return undefined
    const groups = text('auth-extra-groups')
      .split(',')
      .filter((group) => extraGroup.test(group))
    return {
      user: {
        name: `system:bootstrap:${id}`,
        groups: [...new Set([bootstrappers, ...groups]), authenticatedGroup],
      },
      audiences,
    }
  }
}

const isSameText = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
