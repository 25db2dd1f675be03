// Whoever makes an object by a PUT or an apply needs the right to create, not only the one to change.
import { type Authorizer, checkAccess } from '../access/authorizer.ts'
import type { KubeObject } from '../../resources/object.ts'
import type { AdmissionOperation, AdmissionPlugin, AdmissionRequest } from './admission.ts'

export class CreateOnUpdate implements AdmissionPlugin {
  readonly name = 'CreateOnUpdate'
  readonly #authorizer: () => Authorizer

  constructor(authorizer: () => Authorizer) {
    this.#authorizer = authorizer
  }

  handles(operation: AdmissionOperation): boolean {
    return operation === 'CREATE'
  }

  /** Before any plugin makes something for the object. */
  mutate({ type, namespace, name, object, options, user }: AdmissionRequest): KubeObject {
    if (options.isCreateOnUpdate !== true) return object
    checkAccess(this.#authorizer(), {
      user,
      verb: 'create',
      isResource: true,
      path: '',
      group: type.group,
      version: type.version,
      resource: type.plural,
      subresource: '',
      namespace: namespace ?? '',
      name,
    })
    return object
  }
}
