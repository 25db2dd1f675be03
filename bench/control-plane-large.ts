// 30,000 pods on 5,000 fake nodes: how fast they are scheduled, how fast the apiserver answers meanwhile, and what it takes to list them all.
import { askDeployment } from './deployment-run.ts'
import { printFigure, printHead, whole } from './goals.ts'
import { openHttp2 } from './load/https-connection.ts'
import { dataFolder, startUp, type UpServer } from './up-server.ts'

const nodesCount = 5000
const podsCount = 30_000
const listsCount = 3
const residentPollMs = 10
const settleMs = 5000

const goals = { podsPerSecond: { atLeast: 300 }, getP99Ms: { atMost: 100 } } as const
/** Of 100 nodes. */
const rivalRate = '346 pods/s'

const pause = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms))

export async function controlPlaneLarge(): Promise<void> {
  printHead(
    `control-plane-large: ${whole(nodesCount)} fake nodes, a Deployment of ${whole(podsCount)} pods`,
  )
  const folder = dataFolder()
  try {
    await using server = await startUp(folder.path, nodesCount)
    const { readyMs } = server
    printFigure('ready with all nodes', { text: `${whole(readyMs)} ms`, value: readyMs })
    const { seconds, p50Ms, p99Ms } = await askDeployment(server, podsCount)
    const perSecond = podsCount / seconds
    printFigure('all pods bound', {
      text: `${seconds.toFixed(1)} s, ${whole(perSecond)} pods/s`,
      value: perSecond,
      goal: goals.podsPerSecond,
      rival: rivalRate,
    })
    printFigure('  GETs meanwhile', {
      text: `p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`,
      value: p99Ms,
      goal: goals.getP99Ms,
    })
    await pause(settleMs)
    const megabytes = server.residentMegabytes()
    printFigure('resident after that', { text: `${whole(megabytes)} MB`, value: megabytes })
    for (let count = 0; count < listsCount; count++) await askList(server)
  } finally {
    folder.remove()
  }
}

/** How long a list of all pods takes, and how much more memory the server has meanwhile than before. */
async function askList(server: UpServer): Promise<void> {
  const connection = await openHttp2(server.target)
  const before = server.residentMegabytes()
  let most = before
  const poll = setInterval(() => {
    most = Math.max(most, server.residentMegabytes())
  }, residentPollMs)
  const startedAt = performance.now()
  const { status, bytes } = await new Promise<{ status: number; bytes: number }>((resolve) => {
    connection.send({ method: 'GET', path: '/api/v1/pods' }, (code, received) =>
      resolve({ status: code, bytes: received }),
    )
  })
  const seconds = (performance.now() - startedAt) / 1000
  clearInterval(poll)
  connection.close()
  const outcome = status === 200 ? '' : `, status ${status} FAILED`
  printFigure(`list of all pods, ${whole(bytes / 1e6)} MB`, {
    text: `${seconds.toFixed(2)} s, at most +${whole(most - before)} MB${outcome}`,
    value: seconds,
  })
}
