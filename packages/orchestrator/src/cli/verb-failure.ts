// How verbs fail: the text that kubectl prints, on stderr, and exit code 1.
import { ApiError } from '../client/api-client.ts'
import { ConnectionError } from '../client/http-transport.ts'

/** Printed as it is: some failures kubectl tells without `error:` before them. */
export class BareError extends Error {
  override readonly name = 'BareError'
}

/** The line for anything a verb throws. `doing` is put before the server's text, as in `error when creating "x.yaml"`. */
export const failureText = (reason: unknown, doing?: string): string => {
  if (reason instanceof ApiError) return apiErrorText(reason, doing)
  if (reason instanceof BareError) return reason.message
  if (reason instanceof ConnectionError) return connectionText(reason)
  return `error: ${reason instanceof Error ? reason.message : String(reason)}`
}

/** Prints the failure and makes the process end with 1. */
export const reportFailure = (reason: unknown, doing?: string): void => {
  process.stderr.write(`${failureText(reason, doing)}\n`)
  process.exitCode = 1
}

/** Runs a verb; nothing it throws gets past. Ends with it when nobody reads on, as in `balsa logs web | head`. */
export const runVerb = async (verb: () => Promise<void>): Promise<void> => {
  process.stdout.off('error', endWithReader).on('error', endWithReader)
  try {
    await verb()
  } catch (reason) {
    reportFailure(reason)
  }
}

const endWithReader = (error: NodeJS.ErrnoException): void => {
  if (error.code !== 'EPIPE') reportFailure(error)
  process.exit()
}

const connectionText = (error: ConnectionError): string => {
  switch (error.code) {
    case 'REFUSED':
      return `error: ${error.message}: is Balsa running? Start it with "balsa up"`
    case 'UNTRUSTED':
      return `error: ${error.message}: use the kubeconfig that this cluster wrote`
    case 'UNREACHABLE':
    case 'TIMEOUT':
    case 'BROKEN':
      return `error: ${error.message}`
  }
}

const apiErrorText = (error: ApiError, doing: string | undefined): string => {
  if (error.reason === 'Unauthorized') {
    return 'error: You must be logged in to the server (Unauthorized)'
  }
  if (error.reason === 'Invalid') return invalidText(error)
  const reason = error.reason === '' ? '' : ` (${error.reason})`
  const before = doing === undefined ? '' : `${doing}: `
  return `Error from server${reason}: ${before}${error.message}`
}

interface StatusDetails {
  readonly kind?: string
  readonly name?: string
  readonly causes?: readonly { readonly field?: string; readonly message?: string }[]
}

/** Invalid objects are shown with one line for each field. */
const invalidText = (error: ApiError): string => {
  const details = (error.details ?? {}) as StatusDetails
  const causes = (details.causes ?? []).map(({ field, message }) => `${field}: ${message}`)
  const subject = `The ${details.kind ?? 'request'} ${JSON.stringify(details.name ?? '')} is invalid`
  if (causes.length === 0) return `The request is invalid: ${error.message}`
  return causes.length === 1
    ? `${subject}: ${causes[0] ?? ''}`
    : [`${subject}: `, ...causes.map((cause) => `* ${cause}`)].join('\n')
}
