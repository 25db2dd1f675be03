// Who is on stage in a hunt: the members of the store, and the copies of `balsa up` on it.
import { join } from 'node:path'
import { freePorts } from '../free-ports.ts'
import { balsaMain, tools } from '../tools.ts'
import { Program } from './program.ts'

/** members: three members of Balsa; etcd: one etcd; own: a single `balsa up` that has its own member. */
export const settings = ['members', 'etcd', 'own'] as const
export type Setting = (typeof settings)[number]

export interface Cast {
  readonly programs: readonly Program[]
  /** Of the store. */
  readonly endpoints: readonly string[]
}

const copiesOnOneStore = 2
const local = (port: number | undefined): string => `127.0.0.1:${port}`
const flagsOf = (flags: Readonly<Record<string, string>>): string[] =>
  Object.entries(flags).map(([name, value]) => `--${name}=${value}`)
const balsa = (name: string, argv: readonly string[]): Program =>
  new Program(name, process.execPath, [balsaMain, ...argv])

/** The nodes are not theirs: those live with the one who hunts. */
export const castOf = (setting: Setting, folder: string): Promise<Cast> =>
  setting === 'own' ? alone(folder) : onStoreOf(setting, folder)

async function alone(folder: string): Promise<Cast> {
  const [client, peer, api] = await freePorts(3)
  const flags = flagsOf({
    'data-dir': join(folder, 'up'),
    'client-url': `http://${local(client)}`,
    'peer-url': `http://${local(peer)}`,
    'api-url': `https://${local(api)}`,
    agents: '0',
  })
  return { programs: [balsa('up', ['up', ...flags])], endpoints: [`http://${local(client)}`] }
}

async function onStoreOf(setting: 'members' | 'etcd', folder: string): Promise<Cast> {
  const { programs: stores, endpoints } = await storeOf(setting, folder)
  const ports = await freePorts(copiesOnOneStore)
  const copies = ports.map((port, index) => {
    const flags = flagsOf({
      'data-dir': join(folder, `up-${index}`),
      'api-url': `https://${local(port)}`,
      'etcd-servers': endpoints.join(','),
      agents: '0',
    })
    return balsa(`up ${index}`, ['up', ...flags])
  })
  return { programs: [...stores, ...copies], endpoints }
}

/** The members alone, with their data below the folder. */
export async function storeOf(setting: 'members' | 'etcd', folder: string): Promise<Cast> {
  const names = setting === 'etcd' ? ['etcd'] : ['a', 'b', 'c']
  const ports = await freePorts(names.length * 2)
  const members = names.map((name, index) => ({
    name,
    clientUrl: `http://${local(ports[index * 2])}`,
    peerUrl: `http://${local(ports[index * 2 + 1])}`,
  }))
  const initialCluster = members.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(',')
  const endpoints = members.map(({ clientUrl }) => clientUrl)
  const programs = members.map(({ name, clientUrl, peerUrl }) => {
    const flags = flagsOf({
      name,
      'data-dir': join(folder, name),
      'listen-client-urls': clientUrl,
      'advertise-client-urls': clientUrl,
      'listen-peer-urls': peerUrl,
      'initial-advertise-peer-urls': peerUrl,
      'initial-cluster': initialCluster,
    })
    return setting === 'etcd'
      ? new Program(name, tools.etcd ?? 'etcd', [...flags, '--log-level=error'])
      : balsa(`member ${name}`, ['member', ...flags])
  })
  return { programs, endpoints }
}
