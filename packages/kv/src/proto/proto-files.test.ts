import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { loadSync } from '@grpc/proto-loader'
import { expect, test } from 'vitest'
import { enumTable, messageTable } from './wire/schema-table.ts'
import type { EnumName, MessageName } from './wire/schema-table.ts'
import { schemaOf } from './wire/schema.ts'

const folder = fileURLToPath(new URL('../../proto/', import.meta.url))
const packages = [
  'mvccpb',
  'authpb',
  'etcdserverpb',
  'v3lockpb',
  'v3electionpb',
  'grpc.health.v1',
  'balsapb',
]
interface Descriptor {
  field: { name: string; number: number; label: string; type: string; oneofIndex?: number }[]
}

test('the proto files and the message table say the same about every field', () => {
  const files = readdirSync(folder).filter((file) => file.endsWith('.proto'))
  const definition = loadSync(files, { includeDirs: [folder], keepCase: true })
  const types = Object.entries(definition).filter(([, entry]) => 'type' in entry)
  const messages = new Map(types.map(([name, entry]) => [name, entry['type'] as Descriptor]))
  for (const name of Object.keys(messageTable) as MessageName[]) {
    const full = packages.map((prefix) => `${prefix}.${name}`).find((n) => messages.has(n))
    expect(full, name).toBeDefined()
    const described = messages.get(full ?? '')?.field.map((field) => {
      const repeated = field.label === 'LABEL_REPEATED' ? '[]' : ''
      return `${field.name}=${field.number}:${field.type.slice(5).toLowerCase()}${repeated}`
    })
    const expected = schemaOf(name).fields.map((field) => {
      const { type } = field
      const kind = type.kind === 'scalar' ? type.scalar.replace(/id$/, '') : type.kind
      return `${field.name}=${field.number}:${kind}${field.repeated ? '[]' : ''}`
    })
    expect(described).toEqual(expected)
  }
})

test('the proto files have every enum of the table with the same numbers', () => {
  const files = readdirSync(folder).filter((file) => file.endsWith('.proto'))
  const text = files.map((file) => readFileSync(folder + file, 'utf8')).join('\n')
  const enums = [...text.matchAll(/enum \w+ \{([^}]*)\}/g)].map((match) =>
    (match[1] ?? '').replace(/\s/g, ''),
  )
  for (const name of Object.keys(enumTable) as EnumName[]) {
    expect(enums).toContain(enumTable[name].map((value, i) => `${value}=${i};`).join(''))
  }
})
