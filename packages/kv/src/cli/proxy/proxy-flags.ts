// How values of the proxies' flags are read, which are written as Go's: lists with commas or given several times, switches with or
// without `=true`, durations such as 1m30s.
import { duration } from '../member/flags/flag-type.ts'

export interface DiscoveryFlags {
  readonly endpoints: readonly string[]
  readonly discoverySrv: string
  readonly discoverySrvName: string
  readonly insecureDiscovery: boolean | string
}

/** For commander: a list that grows with each use; the default counts only if there is none. */
export function collect(
  fallback: readonly string[],
): (text: string, before: readonly string[]) => string[] {
  return (text, before) => [...(before === fallback ? [] : before), ...text.split(',')]
}

export function isOn(value: boolean | string | undefined): boolean {
  return value === true || value === 'true'
}

export function milliseconds(text: string): number {
  const parsed = duration.parse(text)
  if ('mustBe' in parsed) throw new Error(`'${text}' is not ${parsed.mustBe}`)
  return parsed.value
}

/** host:port of a listen address. */
export function parseAddress(text: string): { readonly host: string; readonly port: number } {
  const match = /^(\[[^\]]+\]|[^:]*):(\d+)$/.exec(text)
  if (match === null)
    throw new Error(`--listen-addr is '${text}'; it must look like 127.0.0.1:23790`)
  const host = (match[1] ?? '').replace(/^\[|\]$/g, '')
  return { host: host === '' ? '0.0.0.0' : host, port: Number(match[2]) }
}

export const defaultEndpoints: readonly string[] = ['127.0.0.1:2379']
