// What the machine is and has: the labels, capacity, conditions and versions of a Node.
import { createHash } from 'node:crypto'
import { readFile, statfs } from 'node:fs/promises'
import { arch, availableParallelism, freemem, platform, release, totalmem } from 'node:os'
import { hostAddress } from '../../network/host-address.ts'
import type { Condition } from '../../resources/object.ts'
import type { Node, NodeStatus } from '../../resources/node.ts'
import { timestamp } from '../../resources/timestamp.ts'
import { isMissing } from '../runtime/process-identity.ts'

export const podsMax: number = 110
const agentVersion = 'v0.1.0'
const memoryAvailableBytesMin = 100 * 1024 * 1024
const diskAvailableShareMin = 0.1

/** As Kubernetes names them. */
const architectures: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' }

export const nodeLabels = (nodeName: string): Record<string, string> => {
  const architecture = architectures[arch()] ?? arch()
  return {
    'beta.kubernetes.io/arch': architecture,
    'beta.kubernetes.io/os': platform(),
    'kubernetes.io/arch': architecture,
    'kubernetes.io/hostname': nodeName,
    'kubernetes.io/os': platform(),
  }
}

/** Amounts that do not change while the agent runs. */
export async function nodeCapacity(dataDir: string): Promise<Record<string, string>> {
  const { blocks, bsize } = await statfs(dataDir)
  return {
    cpu: String(availableParallelism()),
    'ephemeral-storage': `${Math.floor((blocks * bsize) / 1024)}Ki`,
    memory: `${Math.floor(totalmem() / 1024)}Ki`,
    pods: String(podsMax),
  }
}

export async function nodeStatus(
  nodeName: string,
  capacity: Readonly<Record<string, string>>,
  dataDir: string,
  before: Node | undefined,
  nowMs: number,
): Promise<NodeStatus> {
  // Clients refuse a Node where one of these is empty, and not every system has them.
  const nameId = createHash('sha256').update(nodeName).digest('hex').slice(0, 32)
  const machineId = (await firstLine('/etc/machine-id')) || nameId
  return {
    capacity,
    allocatable: capacity,
    conditions: await nodeConditions(dataDir, before, nowMs),
    addresses: [
      { type: 'InternalIP', address: hostAddress() },
      { type: 'Hostname', address: nodeName },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: 0 } },
    nodeInfo: {
      machineID: machineId,
      systemUUID: machineId,
      bootID: (await firstLine('/proc/sys/kernel/random/boot_id')) || nameId,
      kernelVersion: release(),
      osImage: await osImage(),
      containerRuntimeVersion: `process://${process.version.slice(1)}`,
      kubeletVersion: agentVersion,
      kubeProxyVersion: agentVersion,
      operatingSystem: platform(),
      architecture: architectures[arch()] ?? arch(),
    },
  }
}

async function nodeConditions(
  dataDir: string,
  before: Node | undefined,
  nowMs: number,
): Promise<Condition[]> {
  const { bavail, blocks } = await statfs(dataDir)
  const isShortOfMemory = (await availableMemory()) < memoryAvailableBytesMin
  const isShortOfDisk = bavail < blocks * diskAvailableShareMin
  const verdicts: Pick<Condition, 'type' | 'status' | 'reason' | 'message'>[] = [
    pressure('MemoryPressure', isShortOfMemory, 'Memory', 'memory available'),
    pressure('DiskPressure', isShortOfDisk, 'Disk', 'disk pressure'),
    pressure('PIDPressure', false, 'PID', 'PID available'),
    {
      type: 'Ready',
      status: 'True',
      reason: 'KubeletReady',
      message: 'kubelet is posting ready status',
    },
  ]
  const now = timestamp(nowMs)
  return verdicts.map((verdict) => {
    const old = before?.status.conditions?.find(({ type }) => type === verdict.type)
    const lastTransitionTime = old?.status === verdict.status ? old.lastTransitionTime : undefined
    return { ...verdict, lastHeartbeatTime: now, lastTransitionTime: lastTransitionTime ?? now }
  })
}

const pressure = (
  type: string,
  isPressed: boolean,
  subject: string,
  what: string,
): Pick<Condition, 'type' | 'status' | 'reason' | 'message'> =>
  isPressed
    ? {
        type,
        status: 'True',
        reason: `KubeletHas${subject === 'Disk' ? 'DiskPressure' : `Insufficient${subject}`}`,
        message: `kubelet has ${subject === 'Disk' ? what : `insufficient ${what}`}`,
      }
    : {
        type,
        status: 'False',
        reason: `KubeletHas${subject === 'Disk' ? 'NoDiskPressure' : `Sufficient${subject}`}`,
        message: `kubelet has ${subject === 'Disk' ? `no ${what}` : `sufficient ${what}`}`,
      }

/** Free memory does not count what caches could give back; Linux tells. */
async function availableMemory(): Promise<number> {
  const available = /^MemAvailable:\s+(\d+) kB$/m.exec(await textOf('/proc/meminfo'))?.[1]
  return available === undefined ? freemem() : Number(available) * 1024
}

const osImage = async (): Promise<string> =>
  /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(await textOf('/etc/os-release'))?.[1] ?? platform()

const firstLine = async (path: string): Promise<string> => (await textOf(path)).split('\n')[0] ?? ''

/** Empty where the system has no such file. */
async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (reason) {
    if (isMissing(reason)) return ''
    throw reason
  }
}
