// Kinds that users bring.
import { prepare, type Command } from '../command.ts'

export const custom: readonly Command[] = [
  {
    line: 'K apply -f m/crd.yaml',
    out: /^customresourcedefinition.apiextensions.k8s.io\/foos.ex.com created$/m,
  },
  {
    line: 'K wait --for=condition=established crd/foos.ex.com --timeout=5s',
    out: /^customresourcedefinition.apiextensions.k8s.io\/foos.ex.com condition met$/m,
  },
  prepare('K api-resources --api-group=ex.com', { out: /^foos /m }),
  { line: 'K apply -f m/foo.yaml', out: /^foo.ex.com\/f1 created$/m },
  { line: 'K get foos', out: /^NAME +REPLICAS *\nf1 +1/m },
  { line: 'K apply -f m/foo.yaml', out: /^foo.ex.com\/f1 unchanged$/m },
  { line: 'K scale foo f1 --replicas=3', out: /^foo.ex.com\/f1 scaled$/m },
  { line: 'K explain foo.spec', out: /^KIND: +Foo\n[^]*How many\./m },
  { line: 'K describe foo f1', out: /^Name: +f1\n[^]*^ +Replicas: +3$/m },
  {
    line: 'K delete -f m/crd.yaml',
    out: /^customresourcedefinition.apiextensions.k8s.io "foos.ex.com" deleted$/m,
  },
]
