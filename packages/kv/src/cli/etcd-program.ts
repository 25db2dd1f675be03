// Our command under the name `etcd`: tools that start etcd by its name and flags get a member, with etcd's --version, --help, subcommands
// and exit codes.
import { arch, platform } from 'node:os'
import { etcdVersion } from '../member/version.ts'
import { FlagError } from './member/given-flags.ts'
import { runMember } from './member/member-command.ts'
import { memberFlagsHelp } from './member/member-flags.ts'
import { isProxyCommand, runProxy } from './proxy/proxy-program.ts'

const usage = `Usage:

  etcd [flags]
    Start a member.

  etcd --version
    Show the version.

  etcd -h | --help
    Show this help.

  etcd --config-file
    Path to the configuration file; with it, other flags and variables are ignored.

  etcd gateway
    Run the stateless pass-through etcd TCP connection forwarding proxy.

  etcd grpc-proxy
    Run the stateless etcd v3 gRPC L7 reverse proxy.
`

/** Everything `etcd` does; rejects as the member command does. */
export async function runAsEtcd(argv: readonly string[]): Promise<void> {
  if (isProxyCommand(argv)) return runProxy(argv)
  if (argv.some((word) => /^--?version(?:=true)?$/.test(word))) {
    process.stdout.write(versionText())
    return
  }
  if (argv.some((word) => /^--?(?:h|help)$/.test(word))) {
    process.stdout.write(`${usage}\n${memberFlagsHelp()}\n`)
    return
  }
  try {
    await runMember(argv, process.env)
  } catch (reason) {
    if (!(reason instanceof FlagError) || reason.exitCode !== 2) throw reason
    // As Go's flag package does it.
    process.stderr.write(`${reason.message}\n${usage}\n`)
    process.exitCode = reason.exitCode
  }
}

function versionText(): string {
  const lines = [
    `etcd Version: ${etcdVersion}`,
    'Git SHA: balsa',
    `Node Version: ${process.version}`,
    `Node OS/Arch: ${platform()}/${arch()}`,
  ]
  return `${lines.join('\n')}\n`
}
