// member add, remove, update, promote and list, and move-leader: names, flags and lines are etcdctl's.
import { InvalidArgumentError, type Command } from 'commander'
import type { ClusterClient } from '../../client/cluster-client.ts'
import { connectCluster } from '../../client/connect.ts'
import type { MemberListResponse, MemberRecord, ResponseHeader } from '../../proto/messages.ts'
import { printHeaderFields, printHeaderJson } from './auth-output.ts'
import { connectOptionsOf, endpointsOf, withKv, type KvGlobals } from './kv-options.ts'
import { printLine, type JsonObject } from './kv-output.ts'
import { textTable } from './text-table.ts'

type Own = Readonly<Record<string, string | boolean | undefined>>
type Run = (
  client: ClusterClient,
  call: { readonly args: readonly string[]; readonly own: Own; readonly globals: KvGlobals },
) => Promise<void>

export function registerMemberCommands(kv: Command): void {
  const member = kv.command('member').description('the members of the cluster')
  add(member, 'list', 'print all members', async (client, { globals }) => {
    printMembers(await client.list(), globals.writeOut)
  })
  add(member, 'add <name>', 'let a new member in, and say how to start it', addMember)
    .option('--peer-urls <list>', 'where the others will reach it, with commas')
    .option('--learner', 'without a vote')
  const changes = [
    ['remove', 'put a member out; it stops', 'removed from'],
    ['promote', 'make a voter of a learner', 'promoted in'],
  ] as const
  for (const [name, description, what] of changes) {
    add(member, `${name} <id>`, description, async (client, { args, globals }) => {
      const id = idOf(args[0] ?? '')
      changed(await client[name](id), globals, `Member ${hex(id)} ${what}`, {})
    })
  }
  add(member, 'update <id>', "change a member's peer URLs", async (client, call) => {
    const id = idOf(call.args[0] ?? '')
    changed(await client.update(id, urlsOf(call.own)), call.globals, `Member ${hex(id)} updated in`)
  }).option('--peer-urls <list>', 'where the others will reach it, with commas')
  add(kv, 'move-leader <id>', 'hand the lead to another member', moveLeader)
}

function add(parent: Command, usage: string, description: string, run: Run): Command {
  const [name = '', ...args] = usage.split(' ')
  const command = parent.command(name).description(description)
  for (const arg of args) command.argument(arg)
  return command.action(async () => {
    const globals = command.optsWithGlobals<KvGlobals>()
    await using client = await connectCluster(connectOptionsOf(globals))
    await run(client, { args: command.args, own: command.opts<Own>(), globals })
  })
}

const addMember: Run = async (client, { args, own, globals }) => {
  const [name = ''] = args
  const { header, member, members } = await client.add(urlsOf(own), own['learner'] === true)
  if (globals.writeOut !== 'simple') {
    changed({ header, members }, globals, '', { member: memberJson(member) })
    return
  }
  changed({ header, members }, globals, `Member ${hex(member.id)} added to`)
  const list = members.flatMap((each) =>
    each.peerUrls.map((url) => `${each.id === member.id ? name : each.name}=${url}`),
  )
  printLine('')
  printLine(`ETCD_NAME=${JSON.stringify(name)}`)
  printLine(`ETCD_INITIAL_CLUSTER=${JSON.stringify(list.join(','))}`)
  printLine(`ETCD_INITIAL_ADVERTISE_PEER_URLS=${JSON.stringify(member.peerUrls.join(','))}`)
  printLine('ETCD_INITIAL_CLUSTER_STATE="existing"')
}

const moveLeader: Run = async (client, { args, globals }) => {
  const target = idOf(args[0] ?? '')
  const endpoints = endpointsOf(globals)
  let leader: { readonly id: bigint; readonly endpoint: string } | undefined
  await withKv(globals, async (kv) => {
    for (const endpoint of endpoints) {
      const status = await kv.status({ endpoint })
      if (status.leader === status.memberId) leader = { id: status.memberId, endpoint }
    }
  })
  if (leader === undefined) {
    throw new Error(`no leader endpoint given at [${endpoints.join(' ')}]`)
  }
  await client.moveLeader(target, leader.endpoint)
  printLine(`Leadership transferred from ${hex(leader.id)} to ${hex(target)}`)
}

function changed(
  { header, members }: MemberListResponse,
  { writeOut }: KvGlobals,
  line: string,
  more: JsonObject = {},
): void {
  if (writeOut === 'json') printHeaderJson(shown(header), { ...more, ...listJson(members) })
  else if (writeOut === 'fields') printHeaderFields(header)
  else printLine(`${line} cluster ${hex(header.clusterId)}`)
}

function printMembers({ header, members }: MemberListResponse, format: string): void {
  if (format === 'json') printHeaderJson(shown(header), listJson(members))
  else if (format === 'table') {
    const headings = ['ID', 'STATUS', 'NAME', 'PEER ADDRS', 'CLIENT ADDRS', 'IS LEARNER']
    printLine(textTable(headings, members.map(cellsOf)))
  } else if (format === 'fields') {
    printHeaderFields(header)
    for (const member of members) printFields(member)
  } else for (const member of members) printLine(cellsOf(member).join(', '))
}

/** Zeros are left out of JSON. */
function shown(header: ResponseHeader): ResponseHeader {
  const { revision, ...others } = header
  return (revision === 0 ? others : header) as ResponseHeader
}

function cellsOf({ id, name, peerUrls, clientUrls, isLearner }: MemberRecord): string[] {
  const state = name === '' ? 'unstarted' : 'started'
  return [hex(id), state, name, peerUrls.join(','), clientUrls.join(','), String(isLearner)]
}

function printFields({ id, name, peerUrls, clientUrls, isLearner }: MemberRecord): void {
  printLine(`"ID" : ${id}`)
  printLine(`"Name" : ${JSON.stringify(name)}`)
  for (const url of peerUrls) printLine(`"PeerURL" : ${JSON.stringify(url)}`)
  for (const url of clientUrls) printLine(`"ClientURL" : ${JSON.stringify(url)}`)
  printLine(`"IsLearner" : ${isLearner}`)
  printLine('')
}

function listJson(members: readonly MemberRecord[]): JsonObject {
  return members.length === 0 ? {} : { members: members.map(memberJson) }
}

function memberJson({ id, name, peerUrls, clientUrls, isLearner }: MemberRecord): JsonObject {
  return {
    ID: id,
    name: name === '' ? undefined : name,
    peerURLs: peerUrls,
    clientURLs: clientUrls.length === 0 ? undefined : clientUrls,
    isLearner: isLearner || undefined,
  }
}

function idOf(text: string): bigint {
  if (!/^[0-9a-f]{1,16}$/i.test(text)) {
    throw new InvalidArgumentError(`bad member ID arg (${text}), expecting ID in Hex`)
  }
  return BigInt(`0x${text}`)
}

function hex(id: bigint): string {
  return id.toString(16)
}

function urlsOf({ peerUrls }: Own): string[] {
  if (typeof peerUrls !== 'string') throw new Error('member peer urls not provided.')
  return peerUrls.split(',')
}
