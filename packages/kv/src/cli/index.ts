// The commands of @balsa/kv for a commander program.
export { registerKvCommand } from './kv/kv-command.ts'
export { runAsEtcd } from './etcd-program.ts'
export { registerMemberCommand } from './member/member-command.ts'
