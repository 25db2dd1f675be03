// alarm list and disarm, defrag: names and lines are etcdctl's.
import type { Command } from 'commander'
import type { KvAlarm } from '../../kv.ts'
import { endpointsOf, withKv, type KvGlobals } from './kv-options.ts'
import { printJson, printLine } from './kv-output.ts'

export function registerMaintenanceCommands(kv: Command): void {
  const alarm = kv.command('alarm').description('what stops writes: a full store, damaged data')
  const list = alarm.command('list').description('print the alarms that are raised')
  list.action(async () => {
    const globals = list.optsWithGlobals<KvGlobals>()
    await withKv(globals, async ({ maintenance }) => {
      printAlarms(await maintenance.alarms(), globals)
    })
  })
  const disarm = alarm.command('disarm').description('clear all alarms')
  disarm.action(async () => {
    const globals = disarm.optsWithGlobals<KvGlobals>()
    await withKv(globals, async ({ maintenance }) => {
      const raised = await maintenance.alarms()
      for (const one of raised) await maintenance.clearAlarm(one)
      printAlarms(raised, globals)
    })
  })
  const defrag = kv.command('defrag').description('give room back that deleted keys took')
  defrag.action(async () => {
    const globals = defrag.optsWithGlobals<KvGlobals>()
    await withKv(globals, async ({ maintenance }) => {
      for (const endpoint of endpointsOf(globals)) {
        await maintenance.defragment({ endpoint })
        printLine(`Finished defragmenting etcd member[${endpoint}]`)
      }
    })
  })
}

function printAlarms(alarms: readonly KvAlarm[], { writeOut }: KvGlobals): void {
  if (writeOut === 'json') {
    const listed = alarms.map(({ memberId, alarm }) => {
      return { memberID: memberId, alarm: alarm === 'noSpace' ? 1 : 2 }
    })
    printJson(listed.length === 0 ? {} : { alarms: listed })
    return
  }
  for (const { memberId, alarm } of alarms) {
    const name = alarm === 'noSpace' ? 'NOSPACE' : 'CORRUPT'
    printLine(`memberID:${memberId} alarm:${name} `)
  }
}
