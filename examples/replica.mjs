// Three of these, and no other server, elect a leader, take turns with a lock and share their settings:
//   node replica.mjs a    node replica.mjs b    node replica.mjs c
import { openMember } from '@balsa/kv'
import { Collection, openSession, text } from '@balsa/kv/client'
import { openView, stayCandidate, withLock } from '@balsa/kv/recipes'

const name = process.argv[2] ?? 'a'
const initialCluster =
  process.env.CLUSTER ?? 'a=http://127.0.0.1:7001,b=http://127.0.0.1:7002,c=http://127.0.0.1:7003'
const member = await openMember({
  name,
  dataDir: `${name}.balsa`,
  initialCluster,
  listenPeerUrls: [new URLSearchParams(initialCluster.replaceAll(',', '&')).get(name)],
  heartbeatIntervalMs: 50,
  electionTimeoutMs: 250,
})
await member.ready()

const config = new Collection(member.kv, 'config/', text)
const session = await openSession(member.kv)
await withLock(session, 'starting', async ({ token }) => {
  const starts = Number((await config.get('starts'))?.value ?? 0) + 1
  await config.put('starts', String(starts))
  console.log(`${name}: start ${starts}, by lock ${token}`)
})

const candidate = { name: 'leader', value: name, ttlSeconds: 1 }
void stayCandidate(member.kv, candidate, async ({ token, lost }) => {
  console.log(`${name}: I lead by token ${token}`)
  await config.put('leader', name)
  await new Promise((resolve) => lost.addEventListener('abort', resolve))
})

const onChange = ({ key, entry }) => console.log(`${name}: ${key} is ${entry?.value}`)
await openView(member.kv, 'config/', text, { onChange })
