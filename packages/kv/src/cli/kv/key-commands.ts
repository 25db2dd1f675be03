// get, put, del and compaction.
import type { Command } from 'commander'
import { readStandardInput } from './read-standard-input.ts'
import {
  addDeleteFlags,
  addGetFlags,
  addPutFlags,
  deleteOptionsOf,
  putOptionsOf,
  rangeOptionsOf,
  type DeleteFlags,
  type GetFlags,
  type PutFlags,
} from './key-flags.ts'
import { deletedFields, foundFields, putFields } from './key-fields.ts'
import { wholeNumber, withKv } from './kv-options.ts'
import type { KvGlobals } from './kv-options.ts'
import { deletedJson, foundJson, putJson } from './kv-output.ts'
import {
  printDeleted,
  printFound,
  printJson,
  printLine,
  printLines,
  printPut,
} from './kv-output.ts'

export function registerKeyCommands(kv: Command): void {
  addGetFlags(kv.command('get').description('print a key or a range of keys')).action(
    (key: string, rangeEnd: string | undefined, _own: object, command: Command) =>
      get(key, rangeEnd, command.optsWithGlobals<KvGlobals & GetFlags>()),
  )
  addPutFlags(
    kv.command('put').description('store a value; without <value> it is read from standard input'),
  ).action((key: string, value: string | undefined, _own: object, command: Command) =>
    put(key, value, command.optsWithGlobals<KvGlobals & PutFlags>()),
  )
  addDeleteFlags(kv.command('del').description('remove a key or a range of keys')).action(
    (key: string, rangeEnd: string | undefined, _own: object, command: Command) =>
      remove(key, rangeEnd, command.optsWithGlobals<KvGlobals & DeleteFlags>()),
  )
  kv.command('compaction')
    .description('drop the history before a revision')
    .argument('<revision>', '', wholeNumber)
    .action((revision: number, _own: object, command: Command) =>
      withKv(command.optsWithGlobals<KvGlobals>(), async (client) => {
        await client.compact(revision)
        printLine(`compacted revision ${revision}`)
      }),
    )
}

async function get(
  key: string,
  rangeEnd: string | undefined,
  options: KvGlobals & GetFlags,
): Promise<void> {
  const request = rangeOptionsOf(key, rangeEnd, options)
  await withKv(options, async (kv) => {
    const found = await kv.range(request)
    if (options.writeOut === 'json') printJson(foundJson(found))
    else if (options.writeOut === 'fields') printLines(foundFields(found))
    else {
      if (options.countOnly === true) printLine(String(found.count))
      printFound(options, found, options.printValueOnly)
    }
  })
}

async function put(
  key: string,
  value: string | undefined,
  options: KvGlobals & PutFlags,
): Promise<void> {
  const bytes = value ?? (options.ignoreValue === true ? '' : await readStandardInput())
  await withKv(options, async (kv) => {
    const result = await kv.put(key, bytes, putOptionsOf(options))
    if (options.writeOut === 'json') printJson(putJson(result))
    else if (options.writeOut === 'fields') printLines(putFields(result))
    else printPut(options, result.prev)
  })
}

async function remove(
  key: string,
  rangeEnd: string | undefined,
  options: KvGlobals & DeleteFlags,
): Promise<void> {
  const request = deleteOptionsOf(key, rangeEnd, options)
  await withKv(options, async (kv) => {
    const result = await kv.delete(request.key, request)
    if (options.writeOut === 'json') printJson(deletedJson(result))
    else if (options.writeOut === 'fields') printLines(deletedFields(result))
    else printDeleted(options, result.deleted, result.prev)
  })
}
