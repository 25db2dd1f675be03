// The key that signs tokens of service accounts: an EC key made at the first start and kept under DATA_DIR/pki, mode 0600. Its id is
// the digest of its public part, so that whoever has the documents below /openid can tell keys apart.
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../../pki/replace-file.ts'

export interface TokenKeys {
  readonly id: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

export const signingAlgorithm = 'ES256'

export const openTokenKeys = async (dataDir: string): Promise<TokenKeys> => {
  const folder = join(dataDir, 'pki')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, 'sa.key')
  const pem = await readIfThere(path)
  if (pem !== undefined) return keysOf(createPrivateKey(pem))
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  await replaceFile(path, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 0o600)
  return keysOf(privateKey)
}

const keysOf = (privateKey: KeyObject): TokenKeys => {
  const publicKey = createPublicKey(privateKey)
  const der = publicKey.export({ type: 'spki', format: 'der' })
  return { id: createHash('sha256').update(der).digest('base64url'), privateKey, publicKey }
}

const readIfThere = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, 'utf8')
  } catch (reason) {
    if (reason instanceof Error && 'code' in reason && reason.code === 'ENOENT') return undefined
    throw reason
  }
}
