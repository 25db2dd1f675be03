// What reads and writes of keys answer, as etcdctl prints it with `-w fields`: a name and a value on each line.
import type { KvPair, OperationResult, TxnResult } from '../../kv.ts'
import type { DeletedPart, FoundPart, HeaderPart, PutPart } from './kv-output.ts'
import { quotedBytes } from './quoted-bytes.ts'

export function foundFields(found: FoundPart): string[] {
  return [
    ...headerFields(found),
    ...found.pairs.flatMap((pair) => pairFields(pair)),
    `"More" : ${found.more}`,
    `"Count" : ${found.count}`,
  ]
}

export function putFields(put: PutPart): string[] {
  return [...headerFields(put), ...(put.prev === undefined ? [] : pairFields(put.prev, 'Prev'))]
}

export function deletedFields(result: DeletedPart): string[] {
  const prev = result.prev.flatMap((pair) => pairFields(pair, 'Prev'))
  return [...headerFields(result), `"Deleted" : ${result.deleted}`, ...prev]
}

export function txnFields(result: Omit<TxnResult, 'header'> & HeaderPart): string[] {
  const { succeeded, results, revision } = result
  const own = results.flatMap((each) => operationFields(each, revision))
  return [...headerFields(result), `"Succeeded" : ${succeeded}`, ...own]
}

function operationFields(result: OperationResult, revision: number): string[] {
  if (result.op === 'range') return foundFields(result)
  if (result.op === 'put') return putFields({ ...result, revision })
  if (result.op === 'txn') return txnFields(result)
  return deletedFields({ ...result, revision })
}

/** Of an answer within a transaction the revision is known alone. */
function headerFields({ revision, header }: HeaderPart): string[] {
  return [
    `"ClusterID" : ${header?.clusterId ?? 0}`,
    `"MemberID" : ${header?.memberId ?? 0}`,
    `"Revision" : ${revision}`,
    `"RaftTerm" : ${header?.raftTerm ?? 0}`,
  ]
}

function pairFields(pair: KvPair, prefix = ''): string[] {
  return [
    `"${prefix}Key" : ${quotedBytes(pair.key)}`,
    `"${prefix}CreateRevision" : ${pair.createRevision}`,
    `"${prefix}ModRevision" : ${pair.modRevision}`,
    `"${prefix}Version" : ${pair.version}`,
    `"${prefix}Value" : ${quotedBytes(pair.value)}`,
    `"${prefix}Lease" : ${pair.lease}`,
  ]
}
