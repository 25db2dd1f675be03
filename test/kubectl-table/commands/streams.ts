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
  prepare('K apply -f m/served.yaml'),
  prepare('K logs failing --previous --tail=2', { out: /^line 4\nline 5\n$/ }),
  prepare('K logs failing --since=1h --limit-bytes=10', { out: /^line 1\nlin$/ }),
  prepare('K logs failing --since-time=2099-01-01T00:00:00Z', { out: /^$/ }),
  prepare('K logs failing --since-time=2020-01-01T00:00:00Z --timestamps --tail=1', {
    out: /^\d{4}-\S+Z line 5\n$/,
  }),
  prepare('K wait pod/served --for=condition=Ready --timeout=15s'),
  prepare('K get --raw "/api/v1/namespaces/default/pods/served:8080/proxy/a?b=c"', {
    out: /^served GET \/a\?b=c$/,
  }),
  prepare('K get --raw /api/v1/namespaces/default/services/served:http/proxy/s', {
    out: /^served GET \/s$/,
  }),
  prepare('K get --raw /api/v1/namespaces/default/services/kubernetes/proxy/', {
    code: 1,
    err: /\(ServiceUnavailable\): no endpoints available for service "kubernetes"/,
  }),
  prepare('K get --raw /api/v1/nodes/{node}/proxy/stats/summary', {
    // Of the first node, which may run any of the pods.
    out: /"podRef":\{"name":"[a-z0-9-]+"/,
  }),
  prepare(
    `K port-forward pod/served :8080 >forward.log 2>&1 & trap "kill %1" EXIT; sleep 2; node -e 'fetch(process.argv[1]).then(async (answer) => process.stdout.write(await answer.text()))' "http://127.0.0.1:$(sed -n 's/.*127.0.0.1:\\([0-9]*\\) ->.*/\\1/p' forward.log)/f"`,
    { out: /^served GET \/f$/ },
  ),
  prepare('K delete pod served failing --now'),
  prepare('K delete service served'),
  { line: 'K run dbg --image=busybox', out: /^pod\/dbg created$/m },
  {
    line: 'K wait pod/dbg --for=condition=Ready --timeout=5s',
    out: /^pod\/dbg condition met$/m,
  },
  {
    line: 'K debug dbg --image=busybox --target=dbg -q',
    out: /^$/,
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
