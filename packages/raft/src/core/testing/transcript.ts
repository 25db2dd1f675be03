// The language of the transcripts: a file is prose (`#`), commands (`> `) and, below each command, what it gave (indented). Running a file
// gives the file again, with what the commands give now; a difference is a change of behaviour.
import type { LogIndex, Membership, Message, RaftConfig, RestoredState } from '../types.ts'
import { entry, fresh, ids } from './test-cluster.ts'
import { formatEntry, formatStatus } from './transcript-format.ts'
import { TranscriptWorld, type MessageFilter } from './transcript-world.ts'

interface Words {
  readonly plain: readonly string[]
  readonly named: ReadonlyMap<string, string>
}

type Command = (world: TranscriptWorld, words: Words) => void

const electionTicksDefault = 10
const tickMs = 100

/** The text of the transcript as it should be now. Throws for a command that does not exist or cannot run. */
export function runTranscript(source: string): string {
  const world = new TranscriptWorld()
  const out: string[] = []
  for (const line of source.split('\n')) {
    if (line.startsWith('  ')) continue
    out.push(line)
    if (!line.startsWith('> ')) continue
    try {
      runLine(world, line.slice(2))
    } catch (error) {
      throw new Error(`At "${line}"`, { cause: error })
    }
    out.push(...world.takeLines().map((each) => `  ${each}`))
  }
  return out.join('\n')
}

function runLine(world: TranscriptWorld, line: string): void {
  const [name = '', ...rest] = line.split(/\s+/)
  if (name === 'quiet') {
    runLine(world, rest.join(' '))
    world.takeLines()
    return
  }
  const command = commands[name]
  if (command === undefined) throw new Error(`No command ${name}`)
  const named = rest.filter((word) => word.includes('='))
  command(world, {
    plain: rest.filter((word) => !word.includes('=')),
    named: new Map(
      named.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]),
    ),
  })
}

function list(value: string | undefined): string[] {
  return value === undefined || value === '' ? [] : value.split(',')
}

function number(word: string | undefined): number {
  const value = Number(word)
  if (word === undefined || Number.isNaN(value)) throw new Error(`${word} is no number`)
  return value
}

/** `voters=a,b learners=c` and any other list of a membership. */
function membershipOf(named: Words['named'], voters: readonly string[]): Membership {
  const membership: Record<string, readonly string[]> = {
    voters: ids(...(named.has('voters') ? list(named.get('voters')) : voters)),
    votersOutgoing: ids(...list(named.get('votersOutgoing'))),
    learners: ids(...list(named.get('learners'))),
  }
  for (const name of ['witnesses', 'promoting']) {
    if (named.has(name)) membership[name] = ids(...list(named.get(name)))
  }
  return membership as unknown as Membership
}

/** The random number that makes an election timeout of so many ticks. */
function drawOf(ticks: string | undefined, electionTicks: number): number {
  return ticks === undefined ? 0 : (number(ticks) - electionTicks) / electionTicks
}

const membershipLists = ['voters', 'votersOutgoing', 'learners', 'witnesses', 'promoting']
const notNumbers = [...membershipLists, 'timeout']

/** Every named word that is no list of members is a number of the configuration. */
function configOf(world: TranscriptWorld, named: Words['named']): Partial<RaftConfig> {
  const change: Record<string, unknown> = {}
  for (const [name, value] of named) {
    if (!notNumbers.includes(name)) change[name] = number(value)
  }
  const driftRateMax = change['leaseDriftRate']
  if (driftRateMax !== undefined) {
    delete change['leaseDriftRate']
    change['leaseReads'] = {
      monotonicMs: () => world.monotonicMs,
      wallMs: () => world.wallMs,
      tickMs,
      driftRateMax,
    }
  }
  return change as Partial<RaftConfig>
}

/** `a>b appendEntries 1 last`, in any order and all of it optional. */
function filterOf(plain: readonly string[]): MessageFilter {
  const filter: { -readonly [K in keyof MessageFilter]: MessageFilter[K] } = {}
  for (const word of plain) {
    if (word.includes('>')) {
      const [from, to] = word.split('>')
      if (from) filter.from = from
      if (to) filter.to = to
    } else if (/^\d+$/.test(word)) filter.count = number(word)
    else if (word === 'last') filter.isLast = true
    else filter.type = word
  }
  return filter
}

function names(world: TranscriptWorld, plain: readonly string[]): readonly string[] {
  const all = [...world.members.keys()]
  return plain.length === 0 || plain[0] === 'all' ? all : plain
}

/** `terms=1,1,2 base=3@1 term=5 vote=a commit=1 applied=1`: what a member starts with. */
function restoredOf(named: Words['named'], membership: Membership): RestoredState {
  const [baseIndex = 0, baseTerm = 0] = (named.get('base') ?? '0@0').split('@').map(Number)
  const terms = list(named.get('terms')).map(Number)
  const [vote] = ids(...list(named.get('vote')))
  const commit: LogIndex = Number(named.get('commit') ?? baseIndex)
  return fresh(membership, {
    hardState: { term: Number(named.get('term') ?? terms.at(-1) ?? baseTerm), vote, commit },
    snapshot: { index: baseIndex, term: baseTerm, membership },
    entries: terms.map((term, i) => {
      const index = baseIndex + i + 1
      return entry(index, term, `${index}@${term}`)
    }),
    appliedIndex: Number(named.get('applied') ?? baseIndex),
  })
}

function first(plain: readonly string[]): string {
  const [name] = plain
  if (name === undefined) throw new Error('A member is missing')
  return name
}

/** Ticks until the election timeout is over. */
function campaign(world: TranscriptWorld, name: string): void {
  const { core, config } = world.up(name).member
  if (core.hasReady()) throw new Error(`${name} has a Ready to take first`)
  for (let i = 0; i < 2 * config.electionTicks && !core.hasReady(); i++) {
    world.act(name, (member) => member.core.tick())
  }
}

const commands: Readonly<Record<string, Command>> = {
  cluster: (world, { plain, named }) => {
    const apart = [...list(named.get('learners')), ...list(named.get('outside'))]
    const membership = membershipOf(
      named,
      plain.filter((name) => !apart.includes(name)),
    )
    const numbers = new Map([...named].filter(([name]) => name !== 'outside'))
    for (const name of plain) {
      const draw = drawOf(named.get('timeout'), electionTicksDefault)
      world.add(name, configOf(world, numbers), fresh(membership), draw)
    }
  },
  /** Again, with other numbers of the configuration or another log. */
  member: (world, { plain, named }) => {
    const { member } = world.at(first(plain))
    const logWords = ['terms', 'base', 'term', 'vote', 'commit', 'applied']
    const numbers = new Map([...named].filter(([name]) => !logWords.includes(name)))
    const { membership } = member.stored.snapshot
    const { random: _random, ...same } = member.config
    const change = { ...same, ...configOf(world, numbers) }
    const { random } = world.at(first(plain))
    const draw = named.has('timeout') ? drawOf(named.get('timeout'), same.electionTicks) : random
    world.add(first(plain), change, restoredOf(named, membership), draw)
  },
  timeout: (world, { plain }) => {
    const of = world.at(first(plain))
    of.random = drawOf(plain[1], of.member.config.electionTicks)
  },
  tick: (world, { plain }) => {
    const count = plain[1] === undefined ? 1 : number(plain[1])
    for (const name of names(world, plain.slice(0, 1))) {
      for (let i = 0; i < count; i++) world.act(name, (member) => member.core.tick())
    }
  },
  clock: (world, { plain }) => {
    world.monotonicMs += number(plain[0])
    world.wallMs += number(plain[0])
  },
  /** The machine sleeps: only the wall clock goes on. */
  suspend: (world, { plain }) => {
    world.wallMs += number(plain[0])
  },
  campaign: (world, { plain }) => campaign(world, first(plain)),
  /** `elect a`: makes `a` leader, with everybody up to date. `elect a b c`: with the votes of b and c, who forget the old leader. */
  elect: (world, { plain }) => {
    const [name = '', ...voters] = plain
    for (const voter of voters) {
      const { electionTicks } = world.up(voter).member.config
      for (let i = 0; i < electionTicks; i++) world.act(voter, (member) => member.core.tick())
    }
    const inside = voters.length === 0 ? [...world.members.keys()] : plain
    // The first campaign may only find out a newer term.
    for (let i = 0; i < 3 && world.up(name).member.core.status().role !== 'leader'; i++) {
      campaign(world, name)
      world.settle(inside)
    }
    world.act(name, (member) => member.core.tick())
    world.settle(inside)
    const { role, term } = world.up(name).member.core.status()
    world.takeLines()
    if (role !== 'leader') throw new Error(`${name} was not elected`)
    world.say(`${name} leads term ${term}`)
  },
  /** `win a b c`: only the votes; what the new leader has to send waits for `ready`. */
  win: (world, { plain }) => {
    const [name = '', ...voters] = plain
    for (const voter of voters) {
      const { electionTicks } = world.up(voter).member.config
      for (let i = 0; i < electionTicks; i++) world.act(voter, (member) => member.core.tick())
    }
    const isCampaigning = (): boolean => world.up(name).member.core.status().role !== 'leader'
    for (let i = 0; i < 3 && isCampaigning(); i++) {
      campaign(world, name)
      for (let round = 0; round < 2 && isCampaigning(); round++) {
        world.takeReady(name)
        for (const voter of voters) {
          world.deliver({ from: name, to: voter }, false)
          world.takeReady(voter)
          world.deliver({ from: voter, to: name }, false)
        }
      }
    }
    const { term } = world.up(name).member.core.status()
    world.takeLines()
    if (isCampaigning()) throw new Error(`${name} was not elected`)
    world.say(`${name} leads term ${term}`)
  },
  ready: (world, { plain }) => {
    for (const name of names(world, plain)) {
      if (!world.takeReady(name)) world.say(`${name} has nothing to do`)
    }
  },
  settle: (world, { plain }) => world.settle(names(world, plain)),
  deliver: (world, { plain }) => world.deliver(filterOf(plain), true),
  drop: (world, { plain }) => world.drop(filterOf(plain)),
  repeat: (world, { plain }) => world.repeat(filterOf(plain)),
  /** `a>b`: that way only; `a`: nothing to or from it. */
  cut: (world, { plain }) => {
    for (const word of plain) {
      const others = [...world.members.keys()].filter((name) => name !== word)
      world.cut(
        word.includes('>') ? [word] : others.flatMap((o) => [`${o}>${word}`, `${word}>${o}`]),
      )
    }
  },
  heal: (world) => world.heal(),
  'hold-disk': (world, { plain }) => {
    world.up(first(plain)).member.autoPersist = false
  },
  persist: (world, { plain }) => {
    const { pending } = world.up(first(plain)).member
    world.persist(first(plain), plain[1] === undefined ? pending.length : number(plain[1]))
  },
  'hold-apply': (world, { plain }) => {
    world.up(first(plain)).member.autoApply = false
  },
  apply: (world, { plain }) => {
    world.act(first(plain), (member) => {
      const count = plain[1] === undefined ? member.toApply.length : number(plain[1])
      world.say(
        `${member.id} applied ${member.toApply.slice(0, count).map(formatEntry).join(', ')}`,
      )
      member.applyAll(count)
    })
  },
  propose: (world, { plain }) => world.propose(first(plain), plain.slice(1)),
  change: (world, { plain, named }) => {
    world.act(first(plain), (member) => {
      const outcome = member.core.proposeMembership(membershipOf(named, []))
      world.say(
        outcome.accepted ? `accepted in term ${outcome.term}` : `refused: ${outcome.reason}`,
      )
    })
  },
  read: (world, { plain }) => {
    world.act(first(plain), (member) => member.core.readIndex(number(plain[1])))
  },
  transfer: (world, { plain }) => {
    const to = plain[1] === undefined ? undefined : world.id(plain[1])
    world.act(first(plain), (member) => member.core.transferLeadership(to))
  },
  /** `disk a stalled`, `disk a works`: what the shell sees of a's disk. */
  disk: (world, { plain }) => {
    world.act(first(plain), (member) => member.core.diskStalled(plain[1] === 'stalled'))
  },
  unreachable: (world, { plain }) => {
    world.act(first(plain), (member) => member.core.reportUnreachable(world.id(plain[1] ?? '')))
  },
  /** `report a b ok`: a's stream of a snapshot to b is over. */
  report: (world, { plain }) => {
    const [name = '', to = '', result] = plain
    world.act(name, (member) => member.core.reportSnapshot(world.id(to), result === 'ok'))
  },
  compact: (world, { plain }) => {
    world.act(first(plain), (member) => member.compact(number(plain[1])))
  },
  /** What a has asked to be read back has been read. */
  fetched: (world, { plain }) => {
    world.act(first(plain), (member) => member.answerFetches())
  },
  crash: (world, { plain }) => world.crash(first(plain)),
  /** `lose a 3`: the disk goes back to index 3, and a starts again; `lose a 3 noticed`: and knows it. */
  lose: (world, { plain }) => {
    const { member } = world.at(first(plain))
    const last = number(plain[1])
    const { hardState, entries } = member.stored
    const commit = Math.min(hardState.commit, last)
    const mark = plain[2] === 'noticed' ? ({ isRecovering: true } as const) : {}
    member.stored = {
      ...member.stored,
      hardState: { ...hardState, commit, ...mark },
      entries: entries.filter((entry) => entry.index <= last),
    }
    world.restart(first(plain))
  },
  /** `forge a>b {...}`: any message, with the fields of its type as JSON. */
  forge: (world, { plain }) => {
    const [from = '', to = ''] = first(plain).split('>')
    const fields = JSON.parse(plain.slice(1).join(' ')) as Message
    world.wire.push({ ...fields, from: world.id(from), to: world.id(to) })
  },
  restart: (world, { plain }) => world.restart(first(plain)),
  status: (world, { plain }) => {
    for (const name of names(world, plain)) {
      if (!world.at(name).isUp) world.say(`${name} is down`)
      else for (const line of formatStatus(world.up(name).member.core.status())) world.say(line)
    }
  },
  log: (world, { plain }) => {
    for (const name of names(world, plain)) {
      const { snapshot, entries } = world.at(name).member.stored
      const base = snapshot.index === 0 ? '' : ` ..${snapshot.index}@${snapshot.term}`
      world.say(`${name}${base} ${entries.map(formatEntry).join(', ')}`)
    }
  },
  applied: (world, { plain }) => {
    for (const name of names(world, plain)) {
      world.say(`${name} ${world.at(name).member.appliedTexts.join(' ')}`.trimEnd())
    }
  },
}
