// `authorizer` in expressions: asks who may do what, as the user of the request or as a service account.
import type { Environment } from '@marcbachmann/cel-js'
import type { AccessAttributes, AccessDecision, Authorizer } from '../access/authorizer.ts'
import type { AdmissionRequest } from '../admission/admission.ts'
import { serviceAccountGroups, serviceAccountPrefix, type User } from '../access/user.ts'

/** What `authorizer.requestResource` is about. */
export interface RequestedResource {
  readonly group: string
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
}

/** As expressions see it; its members are the fields that they may read. */
export class CelAuthorizer {
  readonly authorizer: Authorizer | undefined
  readonly user: User
  readonly requestResource: ResourceCheck

  /** Without `authorizer` everybody may do everything. */
  constructor(authorizer: Authorizer | undefined, user: User, requested: RequestedResource) {
    this.authorizer = authorizer
    this.user = user
    this.requestResource = new ResourceCheck(this, requested)
  }

  as(user: User): CelAuthorizer {
    return new CelAuthorizer(this.authorizer, user, this.requestResource.about)
  }

  decide(attributes: Omit<AccessAttributes, 'user'>): CelDecision {
    const { authorizer, user } = this
    const all: AccessDecision = { allowed: true, reason: '' }
    return new CelDecision(authorizer?.authorize({ user, ...attributes }) ?? all)
  }
}

/** Of a request that admission is asked about. */
export const authorizerOf = (
  authorizer: Authorizer | undefined,
  { type, subresource, namespace = '', name, user }: AdmissionRequest,
): CelAuthorizer => {
  const about = { group: type.group, resource: type.plural, subresource, namespace, name }
  return new CelAuthorizer(authorizer, user, about)
}

class PathCheck {
  readonly authorizer: CelAuthorizer
  readonly path: string

  constructor(authorizer: CelAuthorizer, path: string) {
    this.authorizer = authorizer
    this.path = path
  }

  check(verb: string): CelDecision {
    const none = { group: '', version: '', resource: '', subresource: '', namespace: '', name: '' }
    return this.authorizer.decide({ verb, isResource: false, path: this.path, ...none })
  }
}

class GroupCheck {
  readonly authorizer: CelAuthorizer
  readonly group: string

  constructor(authorizer: CelAuthorizer, group: string) {
    this.authorizer = authorizer
    this.group = group
  }
}

class ResourceCheck {
  readonly authorizer: CelAuthorizer
  readonly about: RequestedResource

  constructor(authorizer: CelAuthorizer, about: RequestedResource) {
    this.authorizer = authorizer
    this.about = about
  }

  with(part: Partial<RequestedResource>): ResourceCheck {
    return new ResourceCheck(this.authorizer, { ...this.about, ...part })
  }

  check(verb: string): CelDecision {
    return this.authorizer.decide({ verb, isResource: true, path: '', version: '*', ...this.about })
  }
}

class CelDecision {
  readonly decision: AccessDecision

  constructor(decision: AccessDecision) {
    this.decision = decision
  }
}

export const registerAuthorizer = (environment: Environment): void => {
  environment.registerType('ResourceCheck', { ctor: ResourceCheck, fields: {} })
  environment.registerType('PathCheck', { ctor: PathCheck, fields: {} })
  environment.registerType('GroupCheck', { ctor: GroupCheck, fields: {} })
  environment.registerType('Decision', { ctor: CelDecision, fields: {} })
  environment.registerType('Authorizer', {
    ctor: CelAuthorizer,
    fields: { requestResource: 'ResourceCheck' },
  })
  environment.registerFunction(
    'Authorizer.path(string): PathCheck',
    (one: CelAuthorizer, path: string) => new PathCheck(one, path),
  )
  environment.registerFunction(
    'Authorizer.group(string): GroupCheck',
    (one: CelAuthorizer, group: string) => new GroupCheck(one, group),
  )
  environment.registerFunction(
    'Authorizer.serviceAccount(string, string): Authorizer',
    (one: CelAuthorizer, namespace: string, name: string) =>
      one.as({
        name: `${serviceAccountPrefix}${namespace}:${name}`,
        groups: [...serviceAccountGroups(namespace), 'system:authenticated'],
      }),
  )
  environment.registerFunction(
    'GroupCheck.resource(string): ResourceCheck',
    ({ authorizer, group }: GroupCheck, resource: string) => {
      const nowhere = { subresource: '', namespace: '', name: '' }
      return new ResourceCheck(authorizer, { group, resource, ...nowhere })
    },
  )
  for (const part of ['subresource', 'namespace', 'name'] as const) {
    environment.registerFunction(
      `ResourceCheck.${part}(string): ResourceCheck`,
      (one: ResourceCheck, value: string) => one.with({ [part]: value }),
    )
  }
  registerDecisions(environment)
}

const registerDecisions = (environment: Environment): void => {
  for (const kind of ['ResourceCheck', 'PathCheck']) {
    environment.registerFunction(
      `${kind}.check(string): Decision`,
      (one: ResourceCheck | PathCheck, verb: string) => one.check(verb),
    )
  }
  environment.registerFunction(
    'Decision.allowed(): bool',
    (one: CelDecision) => one.decision.allowed,
  )
  environment.registerFunction(
    'Decision.reason(): string',
    (one: CelDecision) => one.decision.reason,
  )
  // Rights are answered from memory, which does not fail.
  environment.registerFunction('Decision.errored(): bool', () => false)
  environment.registerFunction('Decision.error(): string', () => '')
}
