// A small server of the group samples.example.com for tests of aggregation: objects in memory, a watch, an upgrade, its own documents, and
// ways to misbehave.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { createAuthority, signLeaf } from '../../pki/signer.ts'

export interface SampleRequest {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
  /** Whether it came with a certificate of the front proxy's authority, and whose. */
  readonly certificate: string | undefined
}

export interface SampleServer {
  readonly port: number
  /** Base64 of PEM, as an APIService has it. */
  readonly caBundle: string
  readonly requests: SampleRequest[]
  /** Answers in place of the usual ones; false: the usual answer. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean
  close(): Promise<void>
}

export const sampleGroup = 'samples.example.com'
const groupVersion = `${sampleGroup}/v1`
const verbs = ['create', 'get', 'list', 'watch']

const flavor = (name: string, resourceVersion = '7'): object => ({
  apiVersion: groupVersion,
  kind: 'Flavor',
  metadata: { name, namespace: 'default', uid: `uid-${name}`, resourceVersion },
  sweet: true,
})

const resources = {
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion,
  resources: [
    {
      name: 'flavors',
      singularName: 'flavor',
      namespaced: true,
      kind: 'Flavor',
      verbs,
      shortNames: ['fl'],
    },
    { name: 'flavors/status', singularName: '', namespaced: true, kind: 'Flavor', verbs: ['get'] },
  ],
}

const openApi = {
  swagger: '2.0',
  info: { title: 'samples', version: 'v1' },
  paths: {
    [`/apis/${groupVersion}/namespaces/{namespace}/flavors/{name}`]: {
      patch: {
        'x-kubernetes-group-version-kind': { group: sampleGroup, version: 'v1', kind: 'Flavor' },
      },
    },
  },
  definitions: {
    'com.example.samples.v1.Flavor': {
      type: 'object',
      description: 'What something tastes like.',
      properties: {
        apiVersion: { type: 'string' },
        kind: { type: 'string' },
        metadata: { type: 'object' },
        sweet: { type: 'boolean', description: 'Whether there is sugar in it.' },
        origin: { $ref: '#/definitions/com.example.samples.v1.Origin' },
        lost: { $ref: '#/definitions/nowhere' },
      },
      'x-kubernetes-group-version-kind': [
        { group: sampleGroup, version: 'v1', kind: 'Flavor' },
        { group: '', version: 'v1', kind: 'Pod' },
      ],
    },
    'com.example.samples.v1.Origin': {
      type: 'object',
      properties: { country: { type: 'string' } },
    },
    'com.example.Unused': { type: 'object' },
  },
}

const documents: Readonly<Record<string, object>> = {
  [`/apis/${groupVersion}`]: resources,
  '/openapi/v2': openApi,
  '/openapi/v3': {
    paths: {
      [`apis/${groupVersion}`]: { serverRelativeURL: `/openapi/v3/apis/${groupVersion}?hash=ABC` },
      'apis/apps/v1': { serverRelativeURL: '/openapi/v3/apis/apps/v1?hash=EVIL' },
    },
  },
  [`/openapi/v3/apis/${groupVersion}`]: {
    openapi: '3.0.0',
    info: { title: 'samples', version: 'v1' },
    paths: openApi.paths,
    components: {
      schemas: JSON.parse(
        JSON.stringify(openApi.definitions).replaceAll('#/definitions/', '#/components/schemas/'),
      ) as object,
    },
  },
}

/** `frontProxyCa`: PEM; requests with a certificate of its are told from others. */
export const startSampleServer = async (
  serverName: string,
  frontProxyCa: string,
): Promise<SampleServer> => {
  const authority = await createAuthority()
  const certificate = await signLeaf(authority, {
    commonName: 'sample',
    organizations: [],
    usage: 'server',
    names: [{ type: 'dns', value: serverName }],
  })
  const requests: SampleRequest[] = []
  const server = createServer({
    key: certificate.key,
    cert: certificate.certificate,
    ca: frontProxyCa,
    requestCert: true,
    rejectUnauthorized: false,
  })
  const sample: SampleServer = {
    port: 0,
    caBundle: Buffer.from(authority.certificate).toString('base64'),
    requests,
    intercept: () => false,
    close: () => closeServer(server),
  }
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await bodyOf(request)
    requests.push(seen(request, body))
    if (!sample.intercept(request, response)) answer(request, response, body)
  }
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    void serve(request, response)
  })
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    requests.push(seen(request, ''))
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
    if (head.length > 0) socket.write(head)
    socket.on('error', () => socket.destroy())
    socket.pipe(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return Object.assign(sample, { port: (server.address() as AddressInfo).port })
}

const seen = (request: IncomingMessage, body: string): SampleRequest => {
  const socket = request.socket as TLSSocket
  const name = socket.getPeerCertificate().subject?.CN
  return {
    method: request.method ?? '',
    url: request.url ?? '',
    headers: request.headers,
    body,
    certificate: socket.authorized && typeof name === 'string' ? name : undefined,
  }
}

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

const answer = (request: IncomingMessage, response: ServerResponse, body: string): void => {
  const [path = '', query = ''] = (request.url ?? '').split('?', 2)
  const send = (status: number, value: object): void => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(value))
  }
  const document = documents[path]
  const collection = `/apis/${groupVersion}/namespaces/default/flavors`
  if (document !== undefined) send(200, document)
  else if (path === collection && request.method === 'POST') send(201, JSON.parse(body) as object)
  else if (path === collection && query.includes('watch=')) {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.write(`${JSON.stringify({ type: 'ADDED', object: flavor('vanilla') })}\n`)
  } else if (path === collection) {
    const metadata = { resourceVersion: '7' }
    send(200, {
      kind: 'FlavorList',
      apiVersion: groupVersion,
      metadata,
      items: [flavor('vanilla')],
    })
  } else if (path.startsWith(`${collection}/`)) send(200, flavor(path.slice(collection.length + 1)))
  else send(404, { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 404, metadata: {} })
}

const closeServer = async (server: Server): Promise<void> => {
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve()
    })
  })
  server.closeAllConnections()
  await closed
}
