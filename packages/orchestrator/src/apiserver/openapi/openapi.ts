// Answers /openapi/v2 and /openapi/v3. Documents are made when they are first asked for, compressed once, and made again when the served
// kinds change; clients that have one already are told so.
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { RemoteOpenApi } from '../aggregation/remote-open-api.ts'
import { methodNotAllowed } from '../api-errors.ts'
import { groupVersion } from '../registry/decode.ts'
import type { Registries } from '../registry/registries.ts'
import type { Exchange } from '../wire/exchange.ts'
import { jsonType } from '../wire/media-types.ts'
import type { DescribedKind } from './definitions.ts'
import { documentV2, documentV2Json } from './document-v2.ts'
import { documentV3 } from './document-v3.ts'
import type { OperatedKind } from './operations.ts'

const compress = promisify(gzip)

interface Document {
  readonly contentType: string
  readonly bytes: Buffer
  /** Of the bytes, hexadecimal. */
  readonly hash: string
  /** Made when a client first takes it. */
  compressed?: Promise<Buffer>
}

/** Kinds that only subresources take: clients check their fields too. */
const ofSubresources: readonly DescribedKind[] = [
  { group: 'policy', version: 'v1', kind: 'Eviction' },
  { group: 'autoscaling', version: 'v1', kind: 'Scale' },
  { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' },
]

/** `@` is not allowed in a content type, so the type that clients ask for is not the one they get. */
const protobufType = 'application/octet-stream'

/** A version that another server answers for, and what is known of its schemas. */
export interface RemoteSchemas {
  readonly version: { readonly group: string; readonly version: string }
  readonly openApi: RemoteOpenApi | undefined
}

export class OpenApi {
  readonly #registries: Registries
  readonly #virtual: readonly OperatedKind[]
  readonly #remotes: () => readonly RemoteSchemas[]
  readonly #documents = new Map<string, Document>()

  /** `virtual`: what is served without being stored. */
  constructor(
    registries: Registries,
    virtual: readonly Omit<OperatedKind, 'subresources'>[],
    remotes: () => readonly RemoteSchemas[] = () => [],
  ) {
    this.#registries = registries
    this.#virtual = virtual.map((kind) => ({ ...kind, subresources: {} }))
    this.#remotes = remotes
    registries.onTypesChange(() => {
      this.renew()
    })
  }

  /** Documents are made again when they are next asked for. */
  renew(): void {
    this.#documents.clear()
  }

  /** false: the path is none of OpenAPI's. */
  async handle(exchange: Exchange): Promise<boolean> {
    const [, root, version, ...rest] = exchange.path.split('/')
    if (root !== 'openapi') return false
    const document =
      version === 'v2' && rest.length === 0 ? this.#v2(exchange) : this.#v3(version, rest)
    if (document === undefined) return false
    if (exchange.method !== 'GET' && exchange.method !== 'HEAD') throw methodNotAllowed()
    const asked = exchange.query.get('hash')
    if (version === 'v3' && asked !== null && asked !== document.hash && rest.length > 0) {
      exchange.send(301, jsonType, '', { location: `${exchange.path}?hash=${document.hash}` })
      return true
    }
    await sendDocument(exchange, document, asked !== null)
    return true
  }

  #v2(exchange: Exchange): Document {
    const remotes = (): readonly RemoteOpenApi[] =>
      this.#remotes().flatMap(({ openApi }) => (openApi === undefined ? [] : [openApi]))
    // kubectl names the protobuf form by a type that parsers of media types refuse.
    return exchange.header('accept').includes('protobuf')
      ? this.#made('v2', () => ({
          contentType: protobufType,
          bytes: documentV2(this.#types, ofSubresources, remotes()),
        }))
      : this.#made('v2 json', () => json(documentV2Json(this.#types, ofSubresources, remotes())))
  }

  #v3(version: string | undefined, rest: readonly string[]): Document | undefined {
    if (version !== 'v3') return undefined
    if (rest.length === 0) return this.#made('v3', () => json(this.#index()))
    const place = rest.join('/')
    return this.places.has(place) ? this.#groupVersion(place) : undefined
  }

  /** What this server answers for itself. */
  get #types(): readonly OperatedKind[] {
    const remote = new Set(this.#remotes().map(({ version }) => groupVersion(version)))
    const types = [...this.#registries.types, ...this.#virtual]
    return remote.size === 0 ? types : types.filter((type) => !remote.has(groupVersion(type)))
  }

  #groupVersion(place: string): Document {
    const isHere = (type: DescribedKind): boolean => placeOf(type) === place
    return this.#made(place, () =>
      json(documentV3(this.#types.filter(isHere), ofSubresources.filter(isHere))),
    )
  }

  #index(): object {
    const paths: [string, { serverRelativeURL: string }][] = [...this.places].map((place) => [
      place,
      { serverRelativeURL: `/openapi/v3/${place}?hash=${this.#groupVersion(place).hash}` },
    ])
    for (const { version, openApi } of this.#remotes()) {
      const url = openApi?.v3Url
      if (url !== undefined) paths.push([placeOf(version), { serverRelativeURL: url }])
    }
    return { paths: Object.fromEntries(paths) as object }
  }

  /** The group versions that have a document, as their paths name them: `apis/apps/v1`. */
  get places(): ReadonlySet<string> {
    return new Set([...this.#types, ...ofSubresources].map(placeOf))
  }

  #made(name: string, make: () => Omit<Document, 'hash'>): Document {
    let document = this.#documents.get(name)
    if (document === undefined) {
      const made = make()
      document = { ...made, hash: createHash('sha256').update(made.bytes).digest('hex') }
      this.#documents.set(name, document)
    }
    return document
  }
}

/** `api/v1`, `apis/apps/v1`. */
const placeOf = (type: { readonly group: string; readonly version: string }): string =>
  `${type.group === '' ? 'api' : 'apis'}/${groupVersion(type)}`

const json = (value: object): Omit<Document, 'hash'> => ({
  contentType: jsonType,
  bytes: Buffer.from(JSON.stringify(value)),
})

/** `isForever`: the address names the content. */
const sendDocument = async (
  exchange: Exchange,
  document: Document,
  isForever: boolean,
): Promise<void> => {
  const etag = `"${document.hash}"`
  const headers = {
    etag,
    vary: 'Accept-Encoding, Accept',
    ...(isForever ? { 'cache-control': 'public, immutable' } : {}),
  }
  if (
    exchange
      .header('if-none-match')
      .split(/\s*,\s*/)
      .includes(etag)
  ) {
    exchange.send(304, document.contentType, '', headers)
    return
  }
  if (!/\bgzip\b/.test(exchange.header('accept-encoding'))) {
    exchange.send(200, document.contentType, document.bytes, headers)
    return
  }
  document.compressed ??= compress(document.bytes)
  const encoded = { ...headers, 'content-encoding': 'gzip' }
  exchange.send(200, document.contentType, await document.compressed, encoded)
}
