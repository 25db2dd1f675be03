// What etcdctl says on the way, for scripts that look for it.

export function log(msg: string, fields: Readonly<Record<string, unknown>>): void {
  const line = { level: 'info', ts: Date.now() / 1000, caller: 'balsa/moving', msg, ...fields }
  process.stderr.write(`${JSON.stringify(line)}\n`)
}
