// txn: reads a transaction from standard input and prints what it did, as etcdctl does.
import { createInterface } from 'node:readline'
import type { Command } from 'commander'
import type { OperationResult, TxnResult } from '../../kv.ts'
import { withKv, type KvGlobals } from './kv-options.ts'
import { txnFields } from './key-fields.ts'
import { deletedJson, foundJson, headerJson, putJson } from './kv-output.ts'
import type { HeaderPart, JsonObject } from './kv-output.ts'
import {
  printDeleted,
  printFound,
  printJson,
  printLine,
  printLines,
  printPut,
} from './kv-output.ts'
import { TxnReader } from './parse-txn.ts'

const prompts = {
  if: 'compares:',
  then: 'success requests (get, put, del):',
  else: 'failure requests (get, put, del):',
} as const

export function registerTxnCommand(kv: Command): void {
  kv.command('txn')
    .description('do all of one list of requests or of another, as comparisons decide')
    .option('-i, --interactive', 'say what is read next')
    .addHelpText('after', `\n${example}`)
    .action(async (own: { readonly interactive?: boolean }, command: Command) => {
      const globals = command.optsWithGlobals<KvGlobals>()
      const { txn } = await read(own.interactive === true)
      await withKv(globals, async (client) => {
        const result = await client.txn(txn)
        if (globals.writeOut === 'json') printJson(txnJson(result))
        else if (globals.writeOut === 'fields') printLines(txnFields(result))
        else print(globals, result)
      })
    })
}

const example = `Standard input has three parts, each ended by an empty line: comparisons, what is done
if all of them hold, and what is done otherwise:
  mod("key") > "0"
  value("other") = "hello"

  put result yes
  get key --prefix

  del result

Compared are value, version (ver), create (c), mod (m) and lease, with = != < and >.`

async function read(isInteractive: boolean): Promise<TxnReader> {
  const reader = new TxnReader()
  const prompt = (): void => {
    if (isInteractive && reader.part !== undefined) printLine(prompts[reader.part])
  }
  prompt()
  for await (const line of createInterface({ input: process.stdin })) {
    const { part } = reader
    reader.add(line)
    if (reader.part === undefined) return reader
    if (reader.part !== part) prompt()
  }
  throw new Error('EOF')
}

function print(globals: KvGlobals, { succeeded, results }: TxnResult): void {
  printLine(succeeded ? 'SUCCESS' : 'FAILURE')
  for (const result of results) {
    printLine('')
    if (result.op === 'range') printFound(globals, result)
    else if (result.op === 'put') printPut(globals, result.prev)
    else if (result.op === 'delete') printDeleted(globals, result.deleted, result.prev)
  }
}

function txnJson(result: Omit<TxnResult, 'header'> & HeaderPart): JsonObject {
  const { succeeded, results, revision } = result
  const responses = results.map((each) => ({ Response: responseJson(each, revision) }))
  return {
    header: headerJson(result),
    succeeded: succeeded || undefined,
    responses: responses.length === 0 ? undefined : responses,
  }
}

function responseJson(result: OperationResult, revision: number): JsonObject {
  if (result.op === 'range') return { ResponseRange: foundJson(result) }
  if (result.op === 'put') return { ResponsePut: putJson({ ...result, revision }) }
  if (result.op === 'txn') return { ResponseTxn: txnJson(result) }
  return { ResponseDeleteRange: deletedJson({ ...result, revision }) }
}
