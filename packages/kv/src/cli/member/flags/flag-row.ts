// One flag of etcd as one row: its name (the variable ETCD_ and the key of the configuration file follow from it), where its value goes,
// what it must look like, its default and what it does. The groups beside this file are made of such rows; parsing and help follow from them.
import type { MemberOptions } from '../../../member/member-options.ts'
import type { PeerTlsFiles } from '../../../member/peer-tls-files.ts'
import type { ClientTlsOptions } from '../../../member/server-options.ts'
import type { CommandSettings, DiscoverySettings } from './command-settings.ts'
import type { FlagType } from './flag-type.ts'

type Writable<T> = { -readonly [Key in keyof T]?: T[Key] }

/** What rows fill in: only what was given is there, the defaults are those of whoever reads it. */
export interface FlagTargets {
  /** Of openMember. */
  readonly options: Writable<MemberOptions>
  /** Of the command around it. */
  readonly command: Writable<CommandSettings>
  readonly clientTls: Writable<ClientTlsOptions>
  readonly peerTls: Writable<PeerTlsFiles>
  readonly discovery: Writable<DiscoverySettings>
}

export interface MemberFlag {
  readonly name: string
  readonly isSwitch: boolean
  /** As --help shows it. */
  readonly fallback: string
  readonly text: string
  /** Puts the value where it belongs; answers what it must be if it is wrong. */
  readonly put?: (text: string, targets: FlagTargets) => string | undefined
  /** Said when the flag is given. */
  readonly warning?: string
  /** Why the flag cannot be given, unless it says no: to go on without it would not be what was asked for. */
  readonly refusal?: string
  /** The flag that took this one's place. */
  readonly newName?: string
  /** Further keys of the configuration file: 'section.key'. */
  readonly fileKeys?: readonly string[]
  /** Nothing to warn of if it is given its default. */
  readonly isInert?: boolean
  /** Not shown by --help. */
  readonly isRetired?: boolean
}

type RowOf<Target extends object> = <Key extends keyof Target & string>(
  name: string,
  key: Key,
  type: FlagType<Target[Key]>,
  fallback: string,
  text: string,
  more?: Pick<MemberFlag, 'fileKeys'>,
) => MemberFlag

function rowsOf<Part extends keyof FlagTargets>(part: Part): RowOf<Required<FlagTargets[Part]>> {
  return (name, key, type, fallback, text, more = {}) => ({
    name,
    isSwitch: type.isSwitch === true,
    fallback,
    text,
    put: (given, targets) => {
      const parsed = type.parse(given)
      if ('mustBe' in parsed) return parsed.mustBe
      Object.assign(targets[part], { [key]: parsed.value })
      return undefined
    },
    ...more,
  })
}

/** A flag that is an option of openMember. */
export const option: RowOf<Required<FlagTargets['options']>> = rowsOf('options')
/** A flag that concerns the command only. */
export const command: RowOf<Required<FlagTargets['command']>> = rowsOf('command')
export const clientTls: RowOf<Required<FlagTargets['clientTls']>> = rowsOf('clientTls')
export const peerTls: RowOf<Required<FlagTargets['peerTls']>> = rowsOf('peerTls')

export const discovery: RowOf<Required<FlagTargets['discovery']>> = rowsOf('discovery')

/** Taken with a warning, unless it asks for what is so anyway: there is nothing here that it could change. */
export function inert(
  name: string,
  type: FlagType<unknown>,
  fallback: string,
  text: string,
): MemberFlag {
  return { ...plain(name, type), fallback, text, warning: 'has no effect', isInert: true }
}

/** Taken without a word: what it asks for is so anyway. */
export function silent(
  name: string,
  type: FlagType<unknown>,
  fallback: string,
  text: string,
): MemberFlag {
  return { ...plain(name, type), fallback, text }
}

/** A flag of an older etcd under the name it has now. */
export function renamed(name: string, newName: string): MemberFlag {
  const warning = `is deprecated; use --${newName}`
  return { name, isSwitch: false, fallback: '', text: '', newName, warning, isRetired: true }
}

/** A flag of an older etcd whose purpose is gone. */
export function retired(name: string, type: FlagType<unknown>): MemberFlag {
  const warning = 'is deprecated and has no effect'
  return { ...plain(name, type), warning, isRetired: true }
}

export function refused(name: string, type: FlagType<unknown>, refusal: string): MemberFlag {
  return { ...plain(name, type), refusal, isRetired: true }
}

function plain(name: string, type: FlagType<unknown>): MemberFlag {
  return { name, isSwitch: type.isSwitch === true, fallback: '', text: '' }
}
