// npm etcd3 against real etcd, which shows that the suite is right, and against Balsa, plain and behind TLS with certificates on both sides.
import { describe } from 'vitest'
import { openBalsaMember, openTlsBalsaMember } from './balsa-member.ts'
import { startEtcd } from './etcd-process.ts'
import { etcd3Suite } from './etcd3-suite.ts'
import { missing } from './tools.ts'

describe.skipIf(missing('etcd'))('npm etcd3 and real etcd', () => {
  etcd3Suite(async () => {
    const etcd = await startEtcd()
    return Object.assign(etcd, { options: { hosts: etcd.url } })
  })
})

describe('npm etcd3 and Balsa', () => {
  etcd3Suite(async () => {
    const balsa = await openBalsaMember()
    return Object.assign(balsa, { options: { hosts: balsa.url } })
  })
})

describe('npm etcd3 and Balsa over TLS', () => {
  etcd3Suite(async () => {
    const balsa = await openTlsBalsaMember()
    const { cert, key } = balsa.client
    const credentials = {
      rootCertificate: Buffer.from(balsa.ca),
      privateKey: Buffer.from(key),
      certChain: Buffer.from(cert),
    }
    return Object.assign(balsa, { options: { hosts: balsa.url, credentials } })
  })
})
