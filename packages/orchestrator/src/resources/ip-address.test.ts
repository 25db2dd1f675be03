import * as fc from 'fast-check'
import { isIP } from 'node:net'
import { expect, test } from 'vitest'
import { formatIp, networkContains, parseCidr, parseIp } from './ip-address.ts'

const ip = (text: string) => {
  const parsed = parseIp(text)
  if (parsed === undefined) throw new Error(`${text} is no address`)
  return parsed
}

test.each([
  '10.96.0.1',
  '255.255.255.255',
  '0.0.0.0',
  '::',
  '::1',
  'fe80::1:0:0:1',
  '2001:db8::',
  '1:2:3:4:5:6:7:8',
])('%s is read and printed the same', (text) => {
  expect(formatIp(ip(text))).toBe(text)
})

test.each(['', '1.2.3', '01.2.3.4', '1.2.3.256', '::1::', '1:2:3:4:5:6:7', '12345::', '1.2.3.4::'])(
  '%s is no address',
  (text) => {
    expect(parseIp(text)).toBeUndefined()
  },
)

test('what Node takes for an address is one', () => {
  const texts = fc.oneof(fc.ipV4(), fc.ipV6(), fc.stringMatching(/^[\da-f:.]{0,20}$/))
  fc.assert(
    fc.property(texts, (text) => {
      expect(parseIp(text)?.family ?? 0).toBe(isIP(text))
      const parsed = parseIp(text)
      if (parsed !== undefined) expect(parseIp(formatIp(parsed))).toEqual(parsed)
    }),
    { seed: 20_261_121, numRuns: 1000 },
  )
})

test('networks contain the addresses with their prefix', () => {
  const network = parseCidr('10.96.0.0/12')
  if (network === undefined) throw new Error('no network')
  expect(networkContains(network, ip('10.111.255.255'))).toBe(true)
  expect(networkContains(network, ip('10.112.0.0'))).toBe(false)
  expect(networkContains(network, ip('::1'))).toBe(false)
  expect(parseCidr('10.0.0.0/33')).toBeUndefined()
  expect(parseCidr('10.0.0.0')).toBeUndefined()
})
