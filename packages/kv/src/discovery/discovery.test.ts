import { expect, test } from 'vitest'
import { openMember } from '../member/open-member.ts'
import { discoverByRegistry } from './registry-discovery.ts'
import { discoverBySrv, type Resolver } from './srv-discovery.ts'

test('members that share a token wait for each other and agree on who they are, in the order they came', async () => {
  await using registry = await openMember({
    memory: true,
    listenClientUrls: ['http://127.0.0.1:0'],
  })
  const join = (name: string): Promise<string> =>
    discoverByRegistry({
      token: 't',
      name,
      peerUrls: [`http://${name}.test:2380`, `http://${name}.test:7001`],
      registry: { endpoints: registry.clientUrls },
    })
  await expect(join('a')).rejects.toThrow('discovery: size key not found')
  await registry.kv.put('/_etcd/registry/t/_config/size', 'many')
  await expect(join('a')).rejects.toThrow('discovery: size key is bad')
  await registry.kv.put('/_etcd/registry/t/_config/size', '3')
  const found = await Promise.all(['a', 'b', 'c'].map(join))
  expect(new Set(found).size).toBe(1)
  const names = (found[0] ?? '').split(',').map((part) => part.split('=', 1)[0])
  expect([...names].sort()).toEqual(['a', 'a', 'b', 'b', 'c', 'c'])
  await expect(join('d')).rejects.toThrow('discovery: cluster is full')
  expect(await join('b')).toBe(found[0])
})

test('what members write of themselves is where etcd writes it', async () => {
  await using registry = await openMember({
    memory: true,
    listenClientUrls: ['http://127.0.0.1:0'],
  })
  await registry.kv.put('/_etcd/registry/etcd-cluster/_config/size', '1')
  const peerUrls = ['http://127.0.0.1:35380']
  const options = { token: 'etcd-cluster', name: 'm', peerUrls }
  const found = await discoverByRegistry({
    ...options,
    registry: { endpoints: registry.clientUrls },
  })
  expect(found).toBe('m=http://127.0.0.1:35380')
  // The id that real etcd derives from this URL and token.
  const key = `/_etcd/registry/etcd-cluster/members/${3_982_666_145_420_501_407n.toString(16)}`
  expect(Buffer.from((await registry.kv.get(key))?.value ?? []).toString()).toBe(found)
})

/** A domain of its own. */
function zone(
  services: Record<string, { name: string; port: number }[]>,
  addresses: Record<string, string>,
): Resolver {
  return {
    srv: (name) => {
      const records = services[name]
      return records === undefined
        ? Promise.reject(new Error(`querySrv ENOTFOUND ${name}`))
        : Promise.resolve(records)
    },
    address: (host) => {
      const address = addresses[host]
      return address === undefined
        ? Promise.reject(new Error('ENOTFOUND'))
        : Promise.resolve(address)
    },
  }
}

test('SRV records name the members; the own one by its address, the others by number', async () => {
  const resolver = zone(
    {
      '_etcd-server._tcp.example.com': [
        { name: 'a.example.com.', port: 2380 },
        { name: 'b.example.com', port: 2380 },
        { name: 'c.example.com', port: 2381 },
      ],
    },
    { 'a.example.com': '10.0.0.1', 'b.example.com': '10.0.0.2', 'c.example.com': '10.0.0.2' },
  )
  const own = { domain: 'example.com', name: 'me', peerUrls: ['http://10.0.0.2:2380'] }
  expect(await discoverBySrv(own, resolver)).toBe(
    '0=http://a.example.com:2380,me=http://b.example.com:2380,1=http://c.example.com:2381',
  )
  await expect(discoverBySrv({ ...own, domain: 'nowhere.test' }, resolver)).rejects.toThrow(
    '--discovery-srv: no member is found: querySrv ENOTFOUND _etcd-server-ssl._tcp.nowhere.test; querySrv ENOTFOUND _etcd-server._tcp.nowhere.test',
  )
})

test('services over TLS, and with a name of their own', async () => {
  const records = [{ name: 'a.example.com', port: 2380 }]
  const resolver = zone({ '_etcd-server-ssl-blue._tcp.example.com': records }, {})
  const options = { domain: 'example.com', serviceName: 'blue', name: 'me' }
  const peerUrls = ['https://a.example.com:2380']
  expect(await discoverBySrv({ ...options, peerUrls }, resolver)).toBe(
    'me=https://a.example.com:2380',
  )
})
