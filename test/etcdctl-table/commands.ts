// The command lines that are run against etcd and Balsa, in this order: every verb and flag of etcdctl 3.4, in every output format it has.
import type { Entry } from './command-line.ts'

const rights = 'everybody may in 3.4; Balsa asks for rights, as later versions do'
const texts = 'refused by both; 3.4 has a text of its own for the Maintenance service'

const waitsInVain =
  'in vain does 3.4 wait for a learner to lead; Balsa refuses, as later versions do'

const formats = ['simple', 'json', 'fields', 'table', 'protobuf']
const inFormats = (line: string, names: readonly string[] = formats): Entry[] =>
  names.map((format) => `${line} -w ${format}`)

const keys: readonly Entry[] = [
  { line: 'put key/a one -w json', keep: ['first', /"revision":(\d+)/] },
  'put key/b two',
  'put key/c three',
  'put key/b second --prev-kv',
  ...inFormats('put key/b third --prev-kv'),
  { line: 'put from-stdin', input: 'typed' },
  'put dashes -- -value',
  'put key/a --ignore-value',
  'put key/a once --ignore-lease',
  'put missing --ignore-value',
  'put missing x --lease 1234',
  "put '' x",
  'put',
  ...inFormats('get key/b'),
  ...inFormats('get key/b --hex', ['simple', 'json', 'fields']),
  'get --prefix key/',
  "get --prefix ''",
  'get --from-key key/b',
  'get key/a key/c',
  'get missing',
  "get ''",
  ...inFormats('get --prefix key/ --limit 2', ['simple', 'json', 'fields']),
  ...['CREATE', 'KEY', 'MODIFY', 'VALUE', 'VERSION'].flatMap((target) =>
    ['ASCEND', 'DESCEND'].map((order) => `get --prefix key/ --order ${order} --sort-by ${target}`),
  ),
  'get --prefix key/ --sort-by WRONG',
  'get --prefix key/ --order WRONG',
  ...inFormats('get --prefix key/ --keys-only', ['simple', 'json', 'fields']),
  'get key/b --print-value-only',
  'get key/b --print-value-only -w json',
  'get key/b --rev {first}',
  'get key/a --rev {first}',
  'get key/a --rev 1000000',
  'get key/b --consistency s',
  'get key/b --consistency x',
  'get --prefix --from-key key/',
  'put del/1 x',
  'put del/2 x',
  'put del/3 x',
  'put del/4 x',
  'put del/5 x',
  'put del/6 x',
  'del del/1',
  'del del/1',
  'del del/2 del/4 --prev-kv',
  ...inFormats('del del/4 --prev-kv'),
  'del --prefix del/5 -w json',
  'put zz x',
  'del --from-key zz',
  'del --prefix --from-key del/',
  "del ''",
]

const txn = (compares: string, success: string, failure = ''): string =>
  `${compares}\n\n${success}\n\n${failure}\n\n`
const txns: readonly Entry[] = [
  ...formats.map((format) => ({
    line: `txn -w ${format}`,
    input: txn('value("key/a") = "once"', 'get key/a\nput txn x', 'get none'),
  })),
  {
    line: 'txn -i',
    input: txn('mod("txn") > "1"\nversion("none") = "0"', 'get --prefix txn\ndel txn'),
  },
  { line: 'txn --interactive=false', input: txn('create("txn") = "9"', '', 'put txn failure') },
  { line: 'txn', input: txn('lease("txn") = "0"', 'put txn a\nput txn b') },
  { line: 'txn', input: txn('ver("txn") < "9"', 'del txn --prev-kv') },
  { line: 'txn', input: 'nonsense\n\n' },
]

const watches: readonly Entry[] = [
  'put w/1 one',
  { line: 'put w/2 two -w json', keep: ['watched', /"revision":(\d+)/] },
  'put w/1 three',
  'del w/2',
  { line: 'watch --rev {watched} --prefix w/', untilLines: 8 },
  { line: 'watch --rev {watched} w/1', untilLines: 3 },
  { line: 'watch --rev {watched} w/1 w/3', untilLines: 8 },
  { line: 'watch --rev {watched} --prefix w/ --prev-kv', untilLines: 10 },
  { line: 'watch --rev {watched} --prefix w/ -w json', untilLines: 1 },
  { line: 'watch --rev {watched} --prefix w/ -w fields', untilLines: 20 },
  { line: "watch --rev {watched} w/1 -- sh -c 'echo $ETCD_WATCH_KEY'", untilLines: 4 },
  { line: 'watch -i', input: 'watch --rev {watched} w/1\n', untilLines: 3 },
]

const leases: readonly Entry[] = [
  { line: 'lease grant 300', keep: ['lease', /lease ([0-9a-f]+) granted/] },
  'put leased/1 x --lease {lease}',
  'put leased/2 y --lease={lease}',
  'put leased/1 z --ignore-lease',
  ...inFormats('get leased/1', ['json', 'fields']),
  ...inFormats('lease timetolive {lease}', ['simple', 'json', 'fields', 'table']),
  ...inFormats('lease timetolive {lease} --keys', ['simple', 'json', 'fields']),
  ...inFormats('lease keep-alive --once {lease}', ['simple', 'json', 'fields', 'table']),
  { line: 'lease keep-alive {lease}', untilLines: 1 },
  ...inFormats('lease list', ['simple', 'json', 'fields', 'table']),
  'lease revoke {lease}',
  ...inFormats('lease revoke {lease}', ['simple', 'json']),
  'lease timetolive {lease}',
  'lease timetolive {lease} -w json',
  'lease keep-alive --once {lease}',
  'lease grant nonsense',
  'lease grant 99999999999',
  'lease grant 300 -w json',
  'get --prefix leased/',
]

const recipes: readonly Entry[] = [
  'lock mutex echo held',
  'lock mutex --ttl 20 -- false',
  { line: 'lock other --ttl=20', untilLines: 1 },
  'get --prefix other -w json',
  { line: 'elect president me', untilLines: 2 },
  { line: 'elect president', untilLines: 1, input: '' },
  'get --prefix president -w json',
  'put spoken/1234 someone',
  { line: 'elect --listen spoken', untilLines: 2 },
  { line: 'elect -l spoken -w json', untilLines: 1 },
]

const users: readonly Entry[] = [
  'user add ann:ann',
  'user add ann:ann',
  { line: 'user add bob --interactive=false', input: 'first\n' },
  'user add carol --new-user-password carol -w json',
  'user add dave --no-password -w fields',
  { line: 'user add eve', input: '' },
  { line: 'user passwd bob --interactive=false', input: 'bob\n' },
  { line: 'user passwd nobody --interactive=false', input: 'x\n' },
  'role add reader',
  'role add reader',
  'role add writer -w json',
  'role grant-permission reader read key/ --prefix',
  'role grant-permission reader readwrite w/1 w/3 -w json',
  'role grant-permission writer write zz --from-key',
  'role grant-permission writer readwrite one',
  'role grant-permission writer wrong one',
  'role grant-permission none read one',
  ...inFormats('role get reader', ['simple', 'json', 'fields', 'table']),
  'role get writer',
  'role get none',
  ...inFormats('role list', ['simple', 'json', 'fields', 'table']),
  'user grant-role ann reader',
  'user grant-role ann reader',
  'user grant-role ann none -w json',
  'user grant-role bob writer',
  ...inFormats('user get ann', ['simple', 'json', 'fields', 'table']),
  'user get ann --detail',
  'user get nobody',
  ...inFormats('user list', ['simple', 'json', 'fields', 'table']),
  'user revoke-role bob writer',
  'user revoke-role bob writer',
  'role revoke-permission writer zz --from-key',
  'role revoke-permission writer one',
  'role revoke-permission writer one -w json',
  'role revoke-permission reader key/ --prefix',
  'role grant-permission reader read key/ --prefix',
  'role delete writer',
  'role delete writer -w json',
  'user delete dave',
  'user delete dave',
]

/** The name on the client's certificate is a user. */
const byCertificate: readonly Entry[] = [
  'user add client --no-password --user root:root',
  'user grant-role client reader --user root:root',
  'get key/a',
  'get --prefix key/',
  "get --prefix ''",
  'put w/1 x',
  'put key/a x',
  'lock mutex echo held',
  'user get client',
  'user list',
  'role get reader',
  'member list',
  'member remove 1234',
  'get key/a --user ann:ann',
  'user delete client --user root:root',
  'get key/a',
].map((line): Entry => ({ line, modes: ['tls'] }))

/** Users and roles come into force and go, in the modes that began without. */
const enabling: readonly Entry[] = [
  { line: 'auth enable', modes: ['plain', 'tls'] },
  { line: 'user add root:root', modes: ['plain', 'tls'] },
  { line: 'auth enable', modes: ['plain', 'tls'] },
  { line: 'get key/a', modes: ['plain', 'tls'] },
  { line: 'put key/a x', modes: ['plain', 'tls'] },
  { line: 'user list', modes: ['plain', 'tls'] },
  { line: 'role add root', modes: ['plain', 'tls'] },
  { line: 'user grant-role root root', modes: ['plain', 'tls'] },
  'auth enable',
  { line: 'get key/a --user root:root', modes: ['plain', 'tls'] },
  { line: 'get key/a --user ann --password ann', modes: ['plain', 'tls'] },
  { line: 'get key/a --user ann:wrong', modes: ['plain', 'tls'] },
  ...byCertificate,
  { line: 'auth disable --user root:root', modes: ['plain', 'tls'] },
  { line: 'auth disable', modes: ['auth'] },
  { line: 'auth disable', as: 'nobody', modes: ['auth'] },
  { line: 'auth enable -w json', as: 'nobody', modes: ['auth'] },
  { line: 'lease list', as: 'ann', modes: ['auth'] },
]

/** What those hear who are not root. */
const strangersLines: readonly Entry[] = ['ann', 'nobody'].flatMap((as) =>
  [
    'put key/a x',
    'put w/1 x',
    'get key/a',
    'get --prefix key/',
    "get --prefix ''",
    'del key/a',
    'member add more --learner --peer-urls http://127.0.0.9:1',
    'member list',
    'member promote 1234',
    'member remove 1234',
    'member add same --peer-urls=http://127.0.0.9:3',
    'member update 1234 --peer-urls http://127.0.0.9:1',
    'endpoint health',
    'endpoint status',
    'lease timetolive {lease}',
    'user add more:x',
    'user get ann',
    'user get root',
    'user list',
    'user delete ann',
    'role get reader',
    'role get root',
    'role list',
    'role delete reader',
    'auth enable',
    'auth disable',
    'lock mutex echo held',
  ].map((line): Entry => ({ line, as, modes: ['auth'] })),
)
const stricter: readonly Entry[] = [
  ...['ann', 'nobody'].flatMap((as) => [
    ...['compaction 1', 'move-leader 1234'].map((line): Entry => ({
      line,
      as,
      modes: ['auth'],
      otherwise: rights,
    })),
    ...['defrag', 'endpoint hashkv', 'snapshot save {dir}/stolen.db'].map((line): Entry => ({
      line,
      as,
      modes: ['auth'],
      otherwise: texts,
    })),
  ]),
  { line: 'alarm disarm', as: 'ann', modes: ['auth'] },
  ...['alarm disarm', 'lease list', 'lease grant 300'].map((line): Entry => ({
    line,
    as: 'nobody',
    modes: ['auth'],
    otherwise: rights,
  })),
]

const maintenance: readonly Entry[] = [
  ...inFormats('endpoint hashkv', ['simple', 'json', 'fields', 'table']),
  'endpoint hashkv --rev {first}',
  ...inFormats('endpoint status', ['simple', 'json', 'fields', 'table']),
  ...inFormats('endpoint health', ['simple', 'json', 'table']),
  ...['hashkv', 'status', 'health'].map((what) => `endpoint ${what} --cluster`),
  ...inFormats('member list', ['simple', 'json', 'fields', 'table']),
  ...inFormats('alarm list', ['simple', 'json', 'fields']),
  ...inFormats('alarm disarm', ['simple', 'json']),
  'defrag',
  'defrag --cluster',
  'compaction {first}',
  'compaction {watched} --physical',
  'compaction {watched}',
  'compaction 1000000',
  'compaction nonsense',
  'get key/a --rev {first}',
  { line: 'watch --rev {first} w/1' },
  'endpoint hashkv -w json',
]

const members: readonly Entry[] = [
  {
    line: 'member add learner --learner --peer-urls http://127.0.0.9:1',
    keep: ['learner', /Member +([0-9a-f]+) added/],
  },
  'member list',
  'member add second --learner --peer-urls http://127.0.0.9:2',
  'member add wrong --peer-urls=nonsense',
  'member add',
  'member update {learner} --peer-urls http://127.0.0.9:3',
  'member update 1234 --peer-urls http://127.0.0.9:3',
  'member update {learner}',
  'member promote {learner}',
  'member promote 1234',
  { line: 'move-leader {learner}', otherwise: waitsInVain },
  'move-leader 1234',
  'move-leader {self}',
  'move-leader nonsense',
  'member remove {learner}',
  'member remove {learner}',
  'member remove nonsense',
  ...inFormats('member remove 1234', ['json']),
]

const moving: readonly Entry[] = [
  'snapshot save {dir}/saved.db',
  ...inFormats('snapshot status {dir}/saved.db', ['simple', 'json', 'fields', 'table']),
  'snapshot status {dir}/none.db',
  'snapshot restore {dir}/saved.db --data-dir {dir}/restored --wal-dir {dir}/restored-wal --name other --initial-cluster other=http://127.0.0.9:1 --initial-cluster-token token --initial-advertise-peer-urls http://127.0.0.9:1',
  'snapshot restore {dir}/saved.db --data-dir {dir}/restored',
  'snapshot restore {dir}/saved.db --data-dir {dir}/skipped --skip-hash-check',
  'defrag --data-dir {dir}/skipped',
  {
    line: 'make-mirror --prefix key/ --dest-prefix copy/ {host}',
    untilShown: 'get copy/c',
    modes: ['plain'],
  },
  {
    line: 'make-mirror --prefix key/ --no-dest-prefix {host}',
    untilShown: 'get c',
    modes: ['plain'],
  },
  {
    line: 'make-mirror --prefix key/ --dest-prefix copy/ --dest-cacert {cacert} --dest-cert {cert} --dest-key {key} --dest-insecure-transport=false {host}',
    untilShown: 'get copy/c',
    modes: ['tls'],
  },
  { line: 'make-mirror --prefix key/ --dest-prefix copy/ {host}', modes: ['auth'] },
  { line: 'get --prefix copy/ --print-value-only' },
  'migrate --data-dir {dir}/none --wal-dir {dir}/none --no-ttl --transformer {dir}/none',
]

const local: readonly Entry[] = [
  'version',
  'completion bash',
  'completion bash --no-descriptions',
  'completion fish',
  'completion fish --no-descriptions',
  'completion powershell',
  'completion powershell --no-descriptions',
  'completion zsh',
  'completion zsh --no-descriptions',
  'help put',
  { line: 'check datascale --load s --auto-compact --auto-defrag', modes: ['plain'] },
  // Refused before it measures: with a right load it takes a minute, and prints times.
  'check perf --load wrong --prefix /perf/ --auto-compact --auto-defrag',
  'check datascale --load wrong --prefix /scale/ --auto-compact --auto-defrag',
]

/** Flags of every verb, on one of them. */
const everywhere: readonly Entry[] = [
  'get key/a --command-timeout 9s --dial-timeout 9s --keepalive-time 3s --keepalive-timeout 5s',
  'get key/a --debug',
  'get key/a --endpoints {url}',
  'get key/a --endpoints http://127.0.0.1:1,{url} --dial-timeout 9s',
  'get key/a --insecure-transport=true',
  'get key/a --insecure-skip-tls-verify',
  'get key/a -d invalid.',
  'get key/a --insecure-discovery=false --discovery-srv invalid. --discovery-srv-name none',
  'get key/a --cacert {dir}/none.pem',
  'get key/a --cert {dir}/none.pem --key {dir}/none.pem',
  'get key/a --user nobody:wrong',
  'get key/a --user ann --password wrong',
  'get key/a --no-such-flag',
  'get key/a -w wrong',
]

/** Changes who votes: nothing can follow. */
const last: readonly Entry[] = ['member add voter --peer-urls=http://127.0.0.9:4']

/** What makes the mode auth: everything after it is asked by root. */
export const enableAuth: readonly string[] = [
  'user add root:root',
  'role add root',
  'user grant-role root root',
  'auth enable',
]

export const entries: readonly Entry[] = [
  ...keys,
  ...txns,
  ...watches,
  ...maintenance,
  ...leases,
  ...users,
  ...enabling,
  ...strangersLines,
  ...stricter,
  ...recipes,
  ...moving,
  ...members,
  ...local,
  ...everywhere,
  ...last,
]
