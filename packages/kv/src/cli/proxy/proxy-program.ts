// etcd's proxies as commands: `gateway start` and `grpc-proxy start`, with etcd's flags.
import { Command } from 'commander'
import { createMemberLog } from '../member/member-log.ts'
import type { MemberLog } from '../member/member-log.ts'
import { addGatewayCommand } from './gateway-command.ts'
import { addGrpcProxyCommand } from './grpc-proxy-command.ts'

/** Whether a command line is for a proxy. */
export function isProxyCommand(argv: readonly string[]): boolean {
  return argv[0] === 'gateway' || argv[0] === 'grpc-proxy'
}

/** What runs until it is told to stop. */
export interface Running {
  close(): Promise<void>
}

/** Resolves when the proxy was told to stop and has stopped; rejects with an Error whose message is one line. */
export async function runProxy(argv: readonly string[]): Promise<void> {
  const log = createMemberLog({
    lowest: () => 'info',
    format: 'json',
    write: (line) => process.stderr.write(line),
  })
  const run = async (start: () => Promise<Running>): Promise<void> => {
    const stopped = stopSignal(log)
    const proxy = await start()
    await stopped
    await proxy.close()
  }
  const program = new Command('etcd').description('etcd v3 on Raft')
  addGatewayCommand(program, log, run)
  addGrpcProxyCommand(program, log, run)
  await program.parseAsync([...argv], { from: 'user' })
}

export type Run = (start: () => Promise<Running>) => Promise<void>

/** Resolves at the first SIGTERM or SIGINT; the second ends the process at once. */
function stopSignal(log: MemberLog): Promise<void> {
  return new Promise((resolve) => {
    let isStopping = false
    const stop = (signal: NodeJS.Signals): void => {
      if (isStopping) process.exit(1)
      isStopping = true
      log('info', 'received signal; shutting down', { signal })
      resolve()
    }
    process.on('SIGTERM', stop)
    process.on('SIGINT', stop)
  })
}
