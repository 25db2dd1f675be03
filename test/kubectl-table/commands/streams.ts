// What goes between a client and a program that runs: logs, commands, terminals, files, ports.
import { prepare, type Command } from '../command.ts'

const greeting = /^started as nginx$/m

export const streams: readonly Command[] = [
  prepare('K get pod p1 || K run p1 --image=nginx'),
  prepare('K wait --for=condition=Ready pod/p1 --timeout=20s'),
  prepare('K logs p1', { out: greeting }),
  { line: 'K logs p1', out: greeting },
  {
    line: 'timeout 4 K logs -f p1 --tail=5 --since=1m --timestamps',
    code: 124,
    out: /^\d{4}-\d\d-\d\dT\S+Z started as nginx$/m,
  },
  prepare('K get deploy d1 || K apply -f m/dep.yaml'),
  prepare('K wait --for=condition=Available deploy/d1 --timeout=20s'),
  prepare('K logs deploy/d1', { out: greeting }),
  { line: 'K logs deploy/d1', out: greeting },
  { line: 'K logs -l app=d1 --prefix', out: /^\[pod\/d1-\S+\/c\] started as nginx$/m },
  prepare('K logs -l app=d1 --all-containers --tail=1 --limit-bytes=7', { out: /^started/ }),
  prepare('K exec p1 -- sh -c "echo out; echo bad >&2; exit 3"', {
    code: 3,
    out: /^out$/m,
    err: /^bad$[^]*command terminated with exit code 3/m,
  }),
  prepare('echo typed | K exec -i p1 -- cat', { out: /^typed$/m }),
  prepare(
    `(sleep 1; echo 'stty size; exit 4') | script -qec "stty rows 31 cols 91; K exec -it p1 -- sh" /dev/null`,
    { code: 4, out: /^31 91\s*$/m },
  ),
  prepare('K exec p1 -- no-such-program', { code: 1, err: /executable file not found in \$PATH/ }),
  prepare('K cp m/cm.yaml p1:copied.yaml'),
  prepare('K cp p1:copied.yaml back.yaml && cmp m/cm.yaml back.yaml'),
  { line: 'K run dbg --image=busybox', out: /^pod\/dbg created$/m },
  {
    line: 'K wait pod/dbg --for=condition=Ready --timeout=5s',
    out: /^pod\/dbg condition met$/m,
  },
  {
    line: 'K debug dbg --image=busybox --target=dbg -q',
    old: {
      code: 1,
      err: /unknown shorthand flag: 'q'/,
      refused: 'kubectl 1.20 has no such flag',
    },
  },
  { line: 'K delete pod dbg', out: /^pod "dbg" deleted/m },
  {
    line: 'K run it1 -i --rm --image=busybox --restart=Never -- echo hi',
    out: /^hi\n[^]*pod "it1" deleted/m,
  },
  prepare(`echo 'exit 5' | K run it2 -i --rm --image=sh --restart=Never`, { code: 5 }),
  prepare('K run h2t --image=busybox --restart=Never --command -- sh -c "sleep 3; echo bye"'),
  prepare('K wait pod/h2t --for=condition=Ready --timeout=10s'),
  { line: 'K attach h2t', out: /^bye$/m, err: /If you don't see a command prompt/ },
  prepare('K delete pod h2t'),
]
