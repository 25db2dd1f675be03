// auth, user and role: names, flags and lines are etcdctl's.
import { InvalidArgumentError, type Command } from 'commander'
import type { AuthClient } from '../../client/auth-client.ts'
import { connectAuth } from '../../client/connect.ts'
import { bytesOf } from '../../client/convert.ts'
import type { KvPermissionKind, KvPermissionRange } from '../../kv.ts'
import { prefixEnd } from '../../mvcc/key-range.ts'
import type { ResponseHeader } from '../../proto/messages.ts'
import { askPassword, readPassword } from './ask-password.ts'
import {
  bracketed,
  permissionFields,
  permissionJson,
  printHeaderFields,
  printHeaderJson,
  printRole,
} from './auth-output.ts'
import { connectOptionsOf, splitUser, type KvGlobals } from './kv-options.ts'
import { printLine, type JsonObject } from './kv-output.ts'

interface Output {
  /** A sentence, or what it stands for in JSON and fields. */
  done(line: string): void
  list(name: string, names: readonly string[], line?: string): void
  readonly format: string
  readonly header: () => ResponseHeader | undefined
}

export function registerAuthCommands(kv: Command): void {
  const auth = kv.command('auth').description('put users and permissions in force, or out of it')
  add(auth, 'enable', 'put them in force', async (client) => {
    await client.enable()
    printLine('Authentication Enabled')
  })
  add(auth, 'disable', 'let everybody do everything', async (client) => {
    await client.disable()
    printLine('Authentication Disabled')
  })
  add(auth, 'status', 'whether they are in force', async (client, { format, header }) => {
    const { isEnabled, revision } = await client.status()
    if (format === 'json') {
      printHeaderJson(header(), { enabled: isEnabled || undefined, authRevision: revision })
      return
    }
    printLine(`Authentication Status: ${isEnabled}`)
    printLine(`AuthRevision: ${revision}`)
  })
  registerUserCommands(kv.command('user').description('users'))
  registerRoleCommands(kv.command('role').description('roles and what they allow'))
}

function registerUserCommands(user: Command): void {
  const adding = add(
    user,
    'add <name[:password]>',
    'make a user',
    async (client, out, args, own) => {
      const [name, given] = splitUser(args[0] ?? '')
      const password =
        own['password'] === false ? undefined : (given ?? (await newPassword(name, own)))
      await client.addUser(name, password)
      out.done(`User ${name} created`)
    },
  )
  adding
    .option('--no-password', 'known by a client certificate only')
    .option('--interactive [whether]', 'ask for the password; =false reads it from standard input')
    .option('--new-user-password <text>', 'the password')
  add(user, 'delete <name>', 'delete a user', async (client, out, [name = '']) => {
    await client.deleteUser(name)
    out.done(`User ${name} deleted`)
  })
  const getting = add(
    user,
    'get <name>',
    "a user's roles",
    async (client, out, [name = ''], own) => {
      const roles = await client.rolesOf(name)
      if (own['detail'] !== true) out.list('roles', roles, `User: ${name}\nRoles:${spaced(roles)}`)
      else {
        printLine(`User: ${name}`)
        for (const role of roles) {
          printLine('')
          printRole(role, await client.permissionsOf(role))
        }
      }
    },
  )
  getting.option('--detail', 'what its roles allow too')
  add(user, 'list', 'all users', async (client, out) => out.list('users', await client.users()))
  const changing = add(
    user,
    'passwd <name>',
    'change a password',
    async (client, out, [name = ''], own) => {
      await client.changePassword(name, await newPassword(name, own))
      out.done('Password updated')
    },
  )
  changing.option('--interactive [whether]', 'ask; =false reads it from standard input')
  add(
    user,
    'grant-role <name> <role>',
    'give a user a role',
    async (client, out, [name = '', role = '']) => {
      await client.grantRole(name, role)
      out.done(`Role ${role} is granted to user ${name}`)
    },
  )
  add(
    user,
    'revoke-role <name> <role>',
    'take it away',
    async (client, out, [name = '', role = '']) => {
      await client.revokeRole(name, role)
      out.done(`Role ${role} is revoked from user ${name}`)
    },
  )
}

function registerRoleCommands(role: Command): void {
  add(role, 'add <name>', 'make a role', async (client, out, [name = '']) => {
    await client.addRole(name)
    out.done(`Role ${name} created`)
  })
  add(role, 'delete <name>', 'delete a role', async (client, out, [name = '']) => {
    await client.deleteRole(name)
    out.done(`Role ${name} deleted`)
  })
  add(role, 'get <name>', 'what a role allows', async (client, { format, header }, [name = '']) => {
    const permissions = await client.permissionsOf(name)
    if (format === 'json') printHeaderJson(header(), { perm: permissions.map(permissionJson) })
    else if (format === 'fields') {
      printHeaderFields(header())
      for (const line of permissions.flatMap(permissionFields)) printLine(line)
    } else printRole(name, permissions)
  })
  add(role, 'list', 'all roles', async (client, out) => out.list('roles', await client.roles()))
  const granting = add(
    role,
    'grant-permission <name> <type> <key> [end]',
    'allow read, write or readwrite',
    async (client, out, [name = '', type = '', key = '', end = ''], own) => {
      await client.grantPermission(name, kindOf(type), rangeOf(key, end, own))
      out.done(`Role ${name} updated`)
    },
  )
  const revoking = add(
    role,
    'revoke-permission <name> <key> [end]',
    'no longer allow it',
    async (client, out, [name = '', key = '', end = ''], own) => {
      const range = rangeOf(key, end, own)
      await client.revokePermission(name, range)
      out.done(`Permission of ${revokedText(range)} is revoked from role ${name}`)
    },
  )
  for (const command of [granting, revoking]) {
    command
      .option('--prefix', 'all keys with this prefix')
      .option('--from-key', 'all keys from this one on')
  }
}

type Own = Readonly<Record<string, string | boolean | undefined>>
type Run = (client: AuthClient, out: Output, args: readonly string[], own: Own) => Promise<void>

function add(parent: Command, usage: string, description: string, run: Run): Command {
  const [name = '', ...args] = usage.split(' ')
  const command = parent.command(name).description(description)
  for (const arg of args) command.argument(arg)
  return command.action(async () => {
    const globals = command.optsWithGlobals<KvGlobals>()
    let header: ResponseHeader | undefined
    const onHeader = (last: ResponseHeader): void => {
      header = last
    }
    await using client = await connectAuth({ ...connectOptionsOf(globals), onHeader })
    await run(
      client,
      outputOf(globals.writeOut, () => header),
      command.args,
      command.opts<Own>(),
    )
  })
}

function outputOf(format: string, header: () => ResponseHeader | undefined): Output {
  const inOtherForm = (more: JsonObject, lines: readonly string[]): boolean => {
    if (format === 'json') printHeaderJson(header(), more)
    else if (format === 'fields') {
      printHeaderFields(header())
      for (const line of lines) printLine(line)
    } else return false
    return true
  }
  return {
    format,
    header,
    done: (line) => {
      if (!inOtherForm({}, [])) printLine(line)
    },
    list: (name, names, line) => {
      const field = `"${name.charAt(0).toUpperCase()}${name.slice(1)}" :`
      const quoted = `${field}${spaced(names.map((one) => JSON.stringify(one)))}`
      if (inOtherForm(names.length === 0 ? {} : { [name]: names }, [quoted])) return
      if (line !== undefined) printLine(line)
      else for (const one of names) printLine(one)
    },
  }
}

async function newPassword(name: string, own: Own): Promise<string> {
  const { newUserPassword, interactive } = own
  if (typeof newUserPassword === 'string') return newUserPassword
  if (interactive === 'false') return readPassword()
  const first = await askPassword(`Password of ${name}: `)
  const second = await askPassword(`Type password of ${name} again for confirmation: `)
  if (first !== second) throw new Error('given passwords are different')
  return first
}

function kindOf(type: string): KvPermissionKind {
  const kind = { read: 'read', write: 'write', readwrite: 'readWrite' }[type.toLowerCase()]
  if (kind === undefined) throw new InvalidArgumentError(`invalid permission type: ${type}`)
  return kind as KvPermissionKind
}

function rangeOf(key: string, end: string, { prefix, fromKey }: Own): KvPermissionRange {
  if (prefix === true && fromKey === true) {
    throw new InvalidArgumentError('--from-key and --prefix flags are mutually exclusive')
  }
  if ((prefix === true || fromKey === true) && end !== '') {
    throw new InvalidArgumentError('an end goes with neither --prefix nor --from-key')
  }
  if (prefix === true) return { prefix: key }
  if (fromKey === true) return { key: key === '' ? '\0' : key, rangeEnd: '\0' }
  return { key, rangeEnd: end }
}

function revokedText({ key = '', rangeEnd = '', prefix }: KvPermissionRange): string {
  if (prefix !== undefined) return `range ${bracketed(bytesOf(prefix), prefixEnd(bytesOf(prefix)))}`
  const end = bytesOf(rangeEnd)
  if (end.length === 0) return `key ${Buffer.from(bytesOf(key)).toString()}`
  return `range ${bracketed(bytesOf(key), end)}`
}

function spaced(texts: readonly string[]): string {
  return texts.map((text) => ` ${text}`).join('')
}
