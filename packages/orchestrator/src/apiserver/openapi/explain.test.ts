// What kubectl makes of the schemas: `explain` of the kinds that people ask about, by the newest kubectl (v3) and by 1.20 (v2).
import { execFile } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { missing, tools } from '../../../../../test/tools.ts'
import { enumOf, fieldsWithEnum } from '../../resources/schema/enums.ts'
import { allMessages } from '../../resources/schema/messages.ts'
import { ApiFixture } from '../testing/api-fixture.ts'
import { definitionsOf, dialectV2, dialectV3 } from './definitions.ts'

let api: ApiFixture
beforeAll(async () => {
  api = await ApiFixture.start()
})
afterAll(async () => {
  await api.close()
})

test('lists of allowed texts are sorted and about texts that there are', () => {
  const texts = new Set(
    [...allMessages()].flatMap(({ name, fields }) =>
      fields.filter(({ type }) => type === 'string').map((field) => `${name}.${field.name}`),
    ),
  )
  expect(fieldsWithEnum().filter((field) => !texts.has(field))).toEqual([])
  for (const field of fieldsWithEnum()) {
    const [message = '', name = ''] = field.split('.')
    const list = enumOf(message, name) ?? []
    expect(list, field).toEqual([...new Set(list)].toSorted())
  }
})

test('v3 tells allowed texts and defaults, v2 does not', () => {
  const kinds = [{ group: '', version: 'v1', kind: 'Pod' }]
  const port = (dialect: typeof dialectV2): unknown =>
    JSON.parse(
      JSON.stringify(definitionsOf(kinds, dialect).get('io.k8s.api.core.v1.ContainerPort')),
    ).properties.protocol
  expect(port(dialectV3)).toMatchObject({ enum: ['SCTP', 'TCP', 'UDP'], default: 'TCP' })
  expect(Object.keys(port(dialectV2) as object).toSorted()).toEqual(['description', 'type'])
})

const explain = async (kubectl: string | undefined, ...words: readonly string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    const env = { ...process.env, KUBECONFIG: api.server.kubeconfigPath, HOME: api.dataDir }
    execFile(kubectl ?? '', ['explain', ...words], { env }, (error, stdout) => {
      if (error === null) resolve(stdout)
      else reject(new Error(error.message, { cause: error }))
    })
  })

/** Each with some of its fields, however deep. */
const explained: readonly (readonly [string, readonly string[]])[] = [
  ['pods', ['initContainers', 'topologySpreadConstraints', 'nodeSelectorTerms', 'lastState']],
  ['services', ['ipFamilyPolicy', 'nodePort', 'loadBalancer']],
  ['validatingadmissionpolicies', ['matchConstraints', 'messageExpression']],
]

describe.skipIf(missing('kubectl', 'kubectl120'))('kubectl explain', () => {
  test.each([
    ['the newest', tools.kubectl],
    ['1.20', tools.kubectl120],
  ])('%s explains kinds with all that is in them', async (_name, kubectl) => {
    for (const [plural, fields] of explained) {
      const text = await explain(kubectl, plural, '--recursive')
      for (const field of fields) expect(text, plural).toMatch(new RegExp(`^ +${field}\\t`, 'm'))
    }
  })

  test.each([
    ['the newest', tools.kubectl, '<IntOrString>', '<map[string]Quantity>', '<RawExtension>'],
    ['1.20', tools.kubectl120, '<string>', '<map[string]string>', '<map[string]>'],
  ])('%s names the types as upstream does', async (_name, kubectl, port, limits, data) => {
    const types = async (...words: string[]): Promise<string> => explain(kubectl, ...words)
    const pod = await types('pods', '--recursive')
    expect(pod).toContain(`port\t${port}`)
    expect(pod).toContain(`limits\t${limits}`)
    expect(pod).toMatch(/creationTimestamp\t<string>/)
    expect(await types('controllerrevisions')).toContain(`data\t${data}`)
  })

  test('the newest lists the texts that a field may have', async () => {
    const text = await explain(tools.kubectl, 'pods.spec.containers.imagePullPolicy')
    expect(text).toMatch(/ENUM:\n +Always\n +IfNotPresent\n +Never\n/)
    expect(text).toContain('When the image is fetched')
  })
})
