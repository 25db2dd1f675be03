// Changing what is there: labels, patches, edits, scale, rollouts, waits.
import { prepare, type Command } from '../command.ts'

export const changing: readonly Command[] = [
  prepare('K wait --for=condition=Ready pod/p1 pod/p2 --timeout=20s'),
  { line: 'K label pod p1 x=y', out: /^pod\/p1 labeled$/m },
  { line: 'K label pod p1 x=z --overwrite', out: /^pod\/p1 labeled$/m },
  { line: 'K label pod p1 x-', out: /^pod\/p1 (?:un)?labeled$/m },
  { line: 'K annotate pod p1 note=hi', out: /^pod\/p1 annotated$/m },
  prepare('K delete hpa d1'),
  {
    line: `K patch deployment d1 -p '{"spec":{"replicas":1}}'`,
    out: /^deployment.apps\/d1 patched$/m,
  },
  {
    line: `K patch deployment d1 --type=json -p '[{"op":"replace","path":"/spec/replicas","value":2}]'`,
    out: /^deployment.apps\/d1 patched$/m,
  },
  {
    line: `K patch deployment d1 --type=merge -p '{"spec":{"replicas":1}}'`,
    out: /^deployment.apps\/d1 patched$/m,
  },
  {
    line: `K patch deployment d1 --subresource=scale --type=merge -p '{"spec":{"replicas":2}}'`,
    out: /^scale.autoscaling\/d1 patched$/m,
    old: {
      code: 1,
      err: /unknown flag: --subresource/,
      refused: 'kubectl 1.20 has no such flag',
    },
  },
  {
    line: "KUBE_EDITOR='sed -i s/nginx:2/nginx:3/' K edit deployment d1",
    out: /^deployment.apps\/d1 edited$/m,
  },
  { line: 'K scale deployment d1 --replicas=2', out: /^deployment.apps\/d1 scaled$/m },
  {
    line: 'K scale deployment d1 --replicas=1 --current-replicas=2',
    out: /^deployment.apps\/d1 scaled$/m,
  },
  { line: 'K set image deployment/d1 c=nginx:4', out: /^deployment.apps\/d1 image updated$/m },
  { line: 'K set env deployment/d1 A=B', out: /^deployment.apps\/d1 env updated$/m },
  {
    line: 'K set resources deployment/d1 --limits=cpu=200m',
    out: /^deployment.apps\/d1 resource requirements updated$/m,
  },
  {
    line: 'K rollout status deployment/d1 --timeout=8s',
    out: /deployment "d1" successfully rolled out$/m,
  },
  {
    line: 'K rollout history deployment/d1',
    out: /^deployment.apps\/d1 *\nREVISION +CHANGE-CAUSE\n1 /m,
  },
  {
    line: 'K rollout history deployment/d1 --revision=1',
    out: /^deployment.apps\/d1 with revision #1\nPod Template:\n[^]*nginx:1$/m,
  },
  { line: 'K rollout undo deployment/d1', out: /^deployment.apps\/d1 rolled back$/m },
  { line: 'K rollout restart deployment/d1', out: /^deployment.apps\/d1 restarted$/m },
  { line: 'K rollout pause deployment/d1', out: /^deployment.apps\/d1 paused$/m },
  { line: 'K rollout resume deployment/d1', out: /^deployment.apps\/d1 resumed$/m },
  {
    line: 'K wait --for=condition=Available deployment/d1 --timeout=5s',
    out: /^deployment.apps\/d1 condition met$/m,
  },
  {
    line: 'K wait --for=delete pod/zzz --timeout=2s',
    out: /^$/,
    old: {
      code: 1,
      err: /no matching resources found/,
      refused: 'kubectl 1.20 does not wait for what is not there',
    },
  },
  {
    line: "K wait --for=jsonpath='{.status.phase}'=Running pod/p1 --timeout=2s",
    out: /^pod\/p1 condition met$/m,
    old: {
      code: 1,
      err: /unrecognized condition/,
      refused: 'kubectl 1.20 waits for conditions alone',
    },
  },
  prepare('K apply -f m/dz.yaml'),
  {
    line: 'K set serviceaccount deployment dz default',
    out: /^deployment.apps\/dz serviceaccount updated$/m,
  },
]
