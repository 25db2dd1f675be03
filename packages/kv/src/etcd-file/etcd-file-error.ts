// Why a file of etcd cannot be read, or written.

export type EtcdFileErrorCode =
  /** Its first pages are not those of a database. */
  | 'NOT_A_DATABASE'
  /** A version or a page size that this code does not know. */
  | 'UNSUPPORTED'
  /** It ends before its own page count says. */
  | 'TRUNCATED'
  /** A page, a bucket or a row of it is not what it should be: `offset` says where. */
  | 'DAMAGED'
  /** The checksum behind it is missing or another one. */
  | 'CHECKSUM'
  /** A key or a value that does not fit in the format. */
  | 'TOO_LARGE'

export class EtcdFileError extends Error {
  override readonly name = 'EtcdFileError'
  readonly code: EtcdFileErrorCode
  /** In bytes from the beginning of the file. */
  readonly offset: number | undefined

  constructor(code: EtcdFileErrorCode, message: string, offset?: number) {
    super(message)
    this.code = code
    this.offset = offset
  }
}
