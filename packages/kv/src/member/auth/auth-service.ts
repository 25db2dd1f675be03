// The Auth service of one member.
import { KvError } from '../../errors.ts'
import type { Done } from '../types.ts'
import type { AuthApi, AuthCall, AuthResponses } from './auth-api.ts'

export class AuthService implements AuthApi {
  call<Name extends AuthCall>(
    _name: Name,
    _body: Uint8Array,
    done: Done<AuthResponses[Name]>,
  ): void {
    done(new KvError('UNIMPLEMENTED'), undefined)
  }
}
