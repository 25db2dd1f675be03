// Violations planted on purpose, to see that a run tells of them and can be replayed. The code under test stays as it is: what is wrong is the
// world around it, a disk or a network that breaks its word.
import type { Message } from '../core/types.ts'
import type { File, FileSystem, Transport } from '../node/ports.ts'
import type { RaftNodeOptions } from '../node/types.ts'

/** `lying-disk`: syncs do nothing. `altered-entry`, `forged-vote`: the network changes what it carries. */
export const plantNames = ['lying-disk', 'altered-entry', 'forged-vote'] as const
export type PlantName = (typeof plantNames)[number]

/** Of the entries every how-manieth is altered; of the refused votes all are. */
const alteredEvery = 20

export function isPlantName(name: string): name is PlantName {
  return plantNames.some((known) => known === name)
}

/** What the options of a member become. */
export function planted<Result>(
  name: PlantName,
  options: RaftNodeOptions<Result>,
): RaftNodeOptions<Result> {
  const { fileSystem, transport } = options
  if (name !== 'lying-disk') {
    const alter = name === 'altered-entry' ? everySo(alterEntry) : forgeVote
    return { ...options, transport: alteringTransport(transport, alter) }
  }
  return fileSystem === undefined
    ? options
    : { ...options, fileSystem: lyingFileSystem(fileSystem) }
}

function lyingFileSystem(fileSystem: FileSystem): FileSystem {
  return {
    open: async (path, mode) => lyingFile(await fileSystem.open(path, mode)),
    list: (path) => fileSystem.list(path),
    makeDirectory: (path) => fileSystem.makeDirectory(path),
    rename: (from, to) => fileSystem.rename(from, to),
    remove: (path) => fileSystem.remove(path),
    syncDirectory: () => Promise.resolve(),
    lock: (path) => fileSystem.lock(path),
  }
}

function lyingFile(file: File): File {
  return {
    size: () => file.size(),
    read: (position, length) => file.read(position, length),
    write: (buffers, position) => file.write(buffers, position),
    sync: () => Promise.resolve(),
    truncate: (size) => file.truncate(size),
    close: () => file.close(),
  }
}

type Alter = (message: Message) => Message | undefined

function everySo(alter: Alter): Alter {
  let count = 0
  return (message) => {
    const altered = alter(message)
    return altered === undefined || ++count % alteredEvery !== 0 ? undefined : altered
  }
}

function alteringTransport(transport: Transport, alter: Alter): Transport {
  return {
    start: (handler) => transport.start(handler),
    send: (messages) => {
      transport.send(messages.map((message) => alter(message) ?? message))
    },
    sendSnapshot: (to, stream) => transport.sendSnapshot(to, stream),
    setPeers: (peers) => {
      transport.setPeers(peers)
    },
    close: () => transport.close(),
  }
}

/** Another last byte in the first entry. */
function alterEntry(message: Message): Message | undefined {
  if (message.type !== 'appendEntries') return undefined
  const [first, ...rest] = message.entries
  if (first === undefined || first.data.length === 0) return undefined
  const data = first.data.slice()
  data[data.length - 1] = (data[data.length - 1] ?? 0) ^ 1
  return { ...message, entries: [{ ...first, data }, ...rest] }
}

/** A vote that nobody gave. */
function forgeVote(message: Message): Message | undefined {
  if (message.type !== 'requestVoteResult' || message.granted || message.preVote) return undefined
  return { ...message, granted: true }
}
