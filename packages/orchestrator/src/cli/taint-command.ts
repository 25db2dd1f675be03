// `balsa taint`: sets and removes taints of nodes.
import type { Command } from 'commander'
import { ApiError, type ResourceRef } from '../client/api-client.ts'
import type { KubeObject, Stored } from '../resources/object.ts'
import { ApiSession, type SessionOptions } from './api-session.ts'
import { findResources } from './discovery.ts'
import { BareError, reportFailure, runVerb } from './verb-failure.ts'

interface TaintOptions extends SessionOptions {
  readonly all?: boolean
  readonly overwrite?: boolean
  readonly selector?: string
}
interface Taint {
  readonly key: string
  readonly value?: string
  readonly effect: string
}
interface Removal {
  readonly key: string
  /** Left out: all effects. */
  readonly effect?: string
}
interface Changes {
  readonly set: readonly Taint[]
  readonly removed: readonly Removal[]
}
interface Node extends KubeObject {
  readonly spec?: { readonly taints?: readonly Taint[] }
}

const nodes: ResourceRef = { group: '', version: 'v1', plural: 'nodes' }
const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']
const hint = `See 'balsa taint -h' for help and examples`
const word = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'
const keyPattern = new RegExp(String.raw`^(?:[a-z0-9.-]+/)?${word}$`)
const valuePattern = new RegExp(`^(?:${word})?$`)
const keyRule = `name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${word}')`
const valueRule = `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(${word})?')`
/** A node that changed in between is read again as often as that. */
const attemptsMax = 5

export const registerTaintCommand = (
  program: Command,
  withSession: (command: Command) => Command,
): void => {
  withSession(program.command('taint'))
    .description('set or remove taints of nodes')
    .argument('[words...]', 'node NAME..., then KEY=VALUE:EFFECT, KEY:EFFECT- or KEY-')
    .option('--all', 'of all nodes')
    .option('-l, --selector <labels>', 'of the nodes with these labels')
    .option('--overwrite', 'also those that are there with another value')
    .action((words: string[], options: TaintOptions) => runVerb(() => taint(words, options)))
}

const taint = async (words: readonly string[], options: TaintOptions): Promise<void> => {
  const [type, ...rest] = words
  if (type === undefined)
    throw new Error('one or more resources must be specified as <resource> <name>')
  const isTaint = (text: string): boolean => /[=:]|-$/.test(text)
  const first = rest.findIndex(isTaint)
  const names = first < 0 ? rest : rest.slice(0, first)
  const specs = first < 0 ? [] : rest.slice(first)
  using session = new ApiSession(options)
  await refuseOtherTypes(session, type)
  if (specs.length === 0) throw new Error('at least one taint update is required')
  const changes = parseChanges(specs)
  if (options.all === true && options.selector !== undefined)
    throw new Error(`setting 'all' parameter with a non empty selector is prohibited`)
  const isSelective = options.all === true || options.selector !== undefined
  if (names.length === 0 && !isSelective)
    throw new Error(`at least one resource name must be specified since 'all' parameter is not set`)
  for (const name of isSelective ? await selected(session, options) : names) {
    try {
      const done = await changeNode(session, name, changes, options.overwrite === true)
      process.stdout.write(`node/${name} ${done}\n`)
    } catch (reason) {
      reportFailure(reason)
    }
  }
}

const refuseOtherTypes = async (session: ApiSession, type: string): Promise<void> => {
  let found
  try {
    found = findResources(await session.served(), type)
  } catch (reason) {
    if (reason instanceof ApiError || !(reason instanceof Error)) throw reason
    throw new BareError(reason.message, { cause: reason })
  }
  if (found.some(({ ref }) => ref.group !== '' || ref.plural !== nodes.plural))
    throw new Error(`invalid resource type ${type}, only node types are supported`)
}

const selected = async (session: ApiSession, options: TaintOptions): Promise<readonly string[]> => {
  const { selector } = options
  const list = selector === undefined ? {} : { labelSelector: selector }
  const { items } = await session.client.list(nodes, list)
  return items.map(({ metadata }) => metadata.name)
}

const parseChanges = (specs: readonly string[]): Changes => {
  const set = specs.filter((spec) => !spec.endsWith('-')).map(parseTaint)
  for (const [index, { key, value = '', effect }] of set.entries()) {
    if (set.slice(0, index).some((other) => other.key === key && other.effect === effect))
      throw new Error(
        `duplicated taints with the same key and effect: {${key} ${value} ${effect} <nil>}\n${hint}`,
      )
  }
  const removed = specs.filter((spec) => spec.endsWith('-')).map(parseRemoval)
  const both = removed.filter((one) => set.some((other) => isMeant(one, other)))
  if (both.length > 0) {
    const list = both.map(({ key, effect = '' }) => `${key}=${effect}`).join(',')
    throw new Error(
      `can not both modify and remove the following taint(s) in the same command: ${list}`,
    )
  }
  return { set, removed }
}

const isMeant = ({ key, effect }: Removal, other: Taint): boolean =>
  key === other.key && (effect ?? other.effect) === other.effect

const parseTaint = (spec: string): Taint => {
  const [head = '', effect, ...more] = spec.split(':')
  const [key = '', value = '', ...others] = head.split('=')
  const invalid = (rule: string): Error =>
    new Error(`invalid taint spec: ${spec}${rule === '' ? '' : `, ${rule}`}\n${hint}`)
  if (more.length > 0 || others.length > 0) throw invalid('')
  if (effect === undefined) throw invalid(keyRule)
  refuseEffect(effect)
  if (!keyPattern.test(key)) throw invalid(keyRule)
  if (!valuePattern.test(value)) throw invalid(valueRule)
  return { key, ...(value === '' ? {} : { value }), effect }
}

const parseRemoval = (spec: string): Removal => {
  const [head = '', effect] = spec.slice(0, -1).split(':')
  const [key = ''] = head.split('=')
  if (effect === undefined || effect === '') return { key }
  refuseEffect(effect)
  return { key, effect }
}

const refuseEffect = (effect: string): void => {
  if (!effects.includes(effect))
    throw new Error(`invalid taint effect: ${effect}, unsupported taint effect\n${hint}`)
}

/** What was done, in kubectl's word. */
const changeNode = async (
  session: ApiSession,
  name: string,
  changes: Changes,
  isOverwriting: boolean,
): Promise<string> => {
  for (let attempt = 1; ; attempt++) {
    const node: Stored<Node> = await session.client.get(nodes, undefined, name)
    const before = node.spec?.taints ?? []
    const after = changed(name, before, changes, isOverwriting)
    const { resourceVersion } = node.metadata
    const patch = {
      metadata: { resourceVersion },
      spec: { taints: after.map((one) => ({ ...one })) },
    }
    try {
      await session.client.patch(nodes, undefined, name, 'merge', patch)
    } catch (reason) {
      const isConflict = reason instanceof ApiError && reason.code === 409
      if (!isConflict || attempt === attemptsMax) throw reason
      continue
    }
    if (changes.removed.length === 0) {
      const isNew = changes.set.every((one) => !before.some((other) => isSameTaint(one, other)))
      return isNew ? 'tainted' : 'modified'
    }
    return changes.set.length === 0 ? 'untainted' : 'modified'
  }
}

const isSameTaint = (one: Taint, other: Taint): boolean =>
  one.key === other.key && one.effect === other.effect

const changed = (
  name: string,
  before: readonly Taint[],
  { set, removed }: Changes,
  isOverwriting: boolean,
): readonly Taint[] => {
  const there = set.filter((one) => before.some((other) => isSameTaint(one, other)))
  if (!isOverwriting && there.length > 0) {
    const keys = there.length === set.length ? 'a' : there.map(({ key }) => key).join(',')
    throw new Error(
      `node ${name} already has ${keys} taint(s) with same effect(s) and --overwrite is false`,
    )
  }
  const missing = removed.filter((one) => !before.some((other) => isMeant(one, other)))
  if (missing.length > 0) {
    const lines = missing.map(({ key, effect }) => {
      const text = effect === undefined ? key : `${key}:${effect}`
      return `taint ${JSON.stringify(text)} not found`
    })
    throw lines.length === 1 ? new Error(lines[0]) : new BareError(lines.join('\n'))
  }
  const kept = before.filter(
    (other) =>
      !removed.some((one) => isMeant(one, other)) && !set.some((one) => isSameTaint(one, other)),
  )
  return [...set, ...kept]
}
